#include "engine/sealed_secret.hpp"

awaitable<Result<Secret>> read_secret(store::Committer& committer, queue::Inbox& inbox, const secrets::Keyring& keyring,
                                      std::string owner, std::string_view name) {
    auto read = [owner, name](store::Workbench bench) { return bench.store.secret(owner, name); };
    auto sealed = co_await committer.run(inbox, std::move(read));
    if (!sealed) co_return sealed.error();
    if (!*sealed) co_return store::errc::unknown_id;
    auto secret = keyring.unseal(owner, name, **sealed);
    if (!secret) co_return secret.error();
    co_return std::move(*secret);
}
