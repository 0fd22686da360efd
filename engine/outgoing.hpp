#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/control/sending.hpp"
#include "engine/dispatcher/dispatcher.hpp"
#include "engine/hand_offs.hpp"
#include "engine/roster.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/runtime/shard.hpp"

/// The dispatchers of all shards, and the way to them. serve(), drain() and cancel() on the main shard; the rest on any
/// thread.
class Outgoing final : public control::Sending {
public:
    struct Uses {
        runtime::Shard& main;
        std::vector<std::unique_ptr<runtime::Shard>>& shards;
        store::Committer& committer;
        HandOffs& hand_offs;
        std::chrono::milliseconds settling_time;
    };
    explicit Outgoing(Uses uses) : uses_(uses) {}

    /// One for each shard, in their order; before serve().
    void add(std::unique_ptr<dispatcher::Dispatcher> dispatcher);
    /// Exactly these send from now on. The first time, what was being sent when the last process ended comes in doubt.
    awaitable<void> serve(std::vector<dispatcher::Sender> senders, const Roster& roster);
    awaitable<void> drain_one(std::size_t shard);
    void cancel_one(std::size_t shard);
    /// Asks each shard once for what its senders do, and the store for how much waits.
    awaitable<void> look();
    /// For ever: what was settled a week ago is forgotten, and events of that age. Cancelled to end it.
    awaitable<void> tidy_up();
    [[nodiscard]] std::vector<runtime::Metric> metrics() const;
    /// Nothing that has a due time waits to be sent, and nothing is on its way.
    awaitable<bool> idle();
    /// Mail waits, and somebody has to act before it can leave.
    [[nodiscard]] bool stuck() const;

    void queued(store::MailboxNumber mailbox, store::Millis due) override;
    void changed(store::MailboxNumber mailbox) override;
    [[nodiscard]] std::vector<State> senders() const override;
    [[nodiscard]] std::vector<TenantState> tenants() const override;
    /// Within jobs of the committer.
    [[nodiscard]] dispatcher::Allowances& allowances() noexcept { return allowances_; }

private:
    [[nodiscard]] dispatcher::Dispatcher* of(store::MailboxNumber mailbox) const;
    awaitable<void> count();
    static awaitable<void> serve_on(dispatcher::Dispatcher& dispatcher, std::vector<dispatcher::Sender> senders);

    Uses uses_;
    dispatcher::Allowances allowances_;
    std::vector<std::unique_ptr<dispatcher::Dispatcher>> dispatchers_;
    struct Told {
        std::uint64_t changes = UINT64_MAX;  // of the dispatcher, until then
        std::optional<WallTime> until;       // when one of the states is over by itself
        std::vector<State> states;
    };
    std::vector<Told> told_;  // by shard
    bool begun_ = false;
    Monotonic counted_at_{};
    std::atomic<bool> stirred_{true};  // mail was handed in or changed since the last count
    mutable std::mutex mutex_;
    std::map<store::MailboxNumber, std::size_t> shard_of_;
    std::map<store::MailboxNumber, Outlet*> outlet_of_;  // of mailboxes whose mail somebody takes
    std::vector<State> states_;
    std::map<std::string, TenantState> tenants_;
    store::Outbox::Counts counts_;
};
