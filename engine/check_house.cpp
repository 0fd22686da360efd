#include "engine/check_house.hpp"

namespace {

constexpr std::size_t no_mail = 1U << 20U;  // bytes of a budget that nothing is taken from

}  // namespace

CheckHouse::CheckHouse(config::RunFlags flags, store::Committer& committer, const secrets::Keyring& keyring)
    : flags_(std::move(flags)),
      committer_(committer),
      machine_(flags_),
      shard_("check", machine_.clock(), machine_.random(), no_mail,
             [this](asio::io_context& context, Timers& timers, Random& random) {
                 return machine_.make_dialer(context, timers, random);
             }),
      endpoint_(shard_.seams()),
      tokens_({.shard = shard_.executor(),
               .inbox = shard_.inbox(),
               .timers = shard_.timers(),
               .random = machine_.random(),
               .committer = committer,
               .keyring = keyring,
               .endpoint = endpoint_},
              {}),
      consulting_(machine_, flags_, shard_, tokens_) {
    shard_.follow_machine();
}

awaitable<Result<void>> CheckHouse::open() {
    retriever::Share all{"this program"};
    auto roster = co_await read_roster(committer_, shard_.inbox(), tls_, std::move(all));
    if (!roster) co_return roster.error();
    tokens_.set_accounts(accounts_of(*roster, tls_));
    co_return Result<void>();
}

awaitable<void> CheckHouse::close() {
    co_await consulting_.doctor().close();
    co_await tokens_.close();
}
