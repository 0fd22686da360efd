#include "engine/roles.hpp"

#include <fmt/format.h>

#include "engine/runtime/log.hpp"

namespace {

constexpr std::size_t logins_at_once = 16;      // of each shard
constexpr std::size_t quiet_budget = 1U << 20;  // of shards that hold no mail

void report(const std::string& name, const std::string& what) {
    spdlog::error("{} id=crashed reason={}", name, runtime::value(what));
}

}  // namespace

Engine::Roles::Roles(Engine& engine, const runtime::Shard::MakeDialer& make_dialer, std::size_t shard_count)
    : main("main", engine.clock_, engine.random_, quiet_budget, make_dialer),
      handing("hand-off", engine.clock_, engine.random_, quiet_budget, make_dialer),
      hand_offs(handing, *engine.committer_, *engine.bodies_, engine.counters_),
      endpoint(main.seams()),
      tokens({main.executor(), main.inbox(), main.timers(), engine.random_, *engine.committer_, *engine.keyring_,
              endpoint},
             {}),
      view({engine.counters_, board, *engine.committer_, hand_offs, tokens, engine.clock_, [this] { post_reload(); }}),
      surroundings{*engine.committer_, main.inbox(), engine.keyring_.get(), &view},
      scope(main.executor(), report) {
    options.poll_interval = engine.flags_.poll_interval;
    options.idle_renew = engine.flags_.idle_renew;
    options.fetch.batch_uids = engine.flags_.fetch_batch;
    const auto budget = engine.flags_.memory_budget / shard_count;
    for (std::size_t i = 0; i < shard_count; ++i) {
        shards.push_back(std::make_unique<runtime::Shard>(fmt::format("shard-{}", i), engine.clock_, engine.random_,
                                                          budget, make_dialer));
        auto client = std::make_unique<tokens::TokenClient>(tokens, shards.back()->inbox(), engine.clock_);
        retrievers.push_back(std::make_unique<retriever::Retriever>(
            *shards.back(), *engine.committer_, engine.counters_, std::move(client), board, options, logins_at_once));
    }
}
