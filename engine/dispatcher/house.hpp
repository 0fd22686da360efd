#pragma once

#include <atomic>
#include <functional>

#include "engine/dispatcher/allowances.hpp"
#include "engine/dispatcher/line.hpp"
#include "engine/dispatcher/settlement.hpp"
#include "queue/inbox.hpp"
#include "queue/store/committer.hpp"

namespace dispatcher {

/// What desks use of their shard and of the engine. All of it outlives them.
struct House {
    asio::any_io_executor shard;
    Seams& seams;
    queue::Inbox& inbox;
    store::Committer& committer;
    const store::Bodies& bodies;
    tokens::TokenClient& tokens;
    Allowances& allowances;  // within jobs of the committer
    Line::Sizes sizes{};
    SettlingRules settling{};
    LookingRules looking{};
    std::chrono::milliseconds rest{60'000};               // of a line before it says good-bye
    std::function<void(store::MailboxNumber)> bounced{};  // a report was put into a mailbox's ledger
    std::function<bool(store::MailboxNumber)> has_consumer{};
    std::function<void(store::MailboxNumber)> moved{};  // something became of its mail at a desk that it has left
    std::atomic<std::uint64_t> changes{0};              // of what desks do; read by any thread

    [[nodiscard]] store::Millis wall() const {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(seams.timers.clock().wall());
    }
};

/// Runs a job of the committer; on a full disk it tries again until there is room.
template <class Work>
auto once_there_is_room(House& house, Work work) -> awaitable<std::invoke_result_t<Work, store::Workbench>> {
    constexpr std::chrono::seconds between(1);
    for (;;) {
        auto copy = work;
        auto done = co_await house.committer.run(house.inbox, std::move(copy));
        if (done || done.error() != store::errc::disk_full) co_return done;
        co_await house.seams.timers.sleep_for(between);
    }
}

}  // namespace dispatcher
