#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/consumers/acknowledgements.hpp"
#include "engine/consumers/consumer.hpp"
#include "engine/consumers/turns.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/runtime/scope.hpp"
#include "protocols/base/random.hpp"
#include "protocols/wait/timers.hpp"
#include "queue/inbox.hpp"
#include "queue/store/committer.hpp"

namespace consumers {

/// Hands off everything that is stored for one consumer: in order within a mailbox, at least once, mailboxes in turn,
/// until acknowledged. Lives on one shard; a consumer whose calls block has a shard of its own, so that it delays
/// nobody else. Two lanes: while one delivers, the other's committer jobs (acknowledge, read on) are under way.
///
/// A failure pauses the mailbox that it met, with a reason; when several batches in a row deliver nothing, the consumer
/// as a whole pauses. A message whose bytes are damaged is set aside in the store, with the reason, and the next one
/// goes on; nothing else is given up. Ends after its shard's loop has ended.
class HandOff {
public:
    struct Options {
        std::string consumer;
        std::size_t batch_mails_max = 256;  // the most there can be: a sync costs the same for many
        std::uint64_t batch_bytes_max = 8ULL << 20;
        std::size_t lanes = 2;
    };
    /// What it uses of its shard and of the daemon. All of it outlives the hand-off.
    struct Uses {
        asio::any_io_executor shard;
        queue::Inbox& inbox;  // of the shard
        Timers& timers;
        Random& random;
        store::Committer& committer;
        const store::Bodies& bodies;
        runtime::Counters& counters;
        Acknowledgements* acknowledgements = nullptr;  // nobody listens
    };
    HandOff(Options options, Uses uses, std::unique_ptr<Consumer> consumer);

    /// On the shard, once: looks for what waits, then begins.
    void start();
    /// Any thread: something of this mailbox has become durable.
    void arrived(store::MailboxNumber mailbox);
    /// Any thread: subscriptions have changed; looks for what waits again.
    void look_again();
    /// Any thread: all that was announced to arrived() before is delivered and acknowledged.
    [[nodiscard]] bool idle() const noexcept { return open_.load(std::memory_order_acquire) == 0; }
    /// On the shard: ends after the batches under way, acknowledgements included.
    awaitable<void> drain();
    /// On the shard: ends at the next wait; what was not acknowledged may be handed off again after a restart.
    awaitable<void> close();

    struct Stats {
        std::uint64_t delivered_mails = 0;
        std::uint64_t delivered_bytes = 0;
        std::uint64_t batches = 0;
        std::uint64_t failed_batches = 0;
        std::size_t waiting_mailboxes = 0;
        std::size_t paused_mailboxes = 0;  // of the waiting ones
        std::string last_reason;           // of the newest failed batch; empty when none failed since the last success
    };
    [[nodiscard]] Stats stats() const;  // any thread

private:
    class ArrivalNote;
    class LookNote;
    struct Acknowledgement {
        store::MailboxNumber mailbox = 0;
        store::Seq seq = 0;
        Turns::Rest rest = Turns::Rest::nothing;
        bool taken = true;  // false: it pauses already, or is read on
    };
    struct Reading {
        store::MailboxNumber mailbox = 0;  // taken
        store::Seq attempted = 0;
    };
    /// What waits of one mailbox.
    struct Page {
        store::MailboxNumber mailbox = 0;
        store::Seq last_seq = 0;
        std::vector<store::Message> messages;  // in order
        std::vector<store::Seq> repeats;       // of them, that may have been handed off as others before
    };
    /// One job for the committer: set aside and acknowledge first, then read on.
    struct Step {
        std::vector<store::SetAside> set_aside;
        std::vector<Acknowledgement> acknowledge;
        std::vector<Reading> read;
    };
    struct StepWork;
    struct ListWork;
    struct NamesWork;
    struct Lane {
        Parking parking;
        bool idle = false;
    };

    awaitable<void> begin();
    awaitable<void> look_for_waiting();
    awaitable<void> serve(std::size_t lane);
    awaitable<void> load_names();
    void plan(Step& step);
    void settle(const Step& step, const Result<std::vector<Page>>& pages);
    awaitable<Step> hand_over(std::vector<Page> pages);
    Step take_stock(const std::vector<Page>& pages, const Delivered& delivered);
    store::SetAside set_aside(const store::Message& message, const std::string& reason);
    void count_delivered(const Page& page, std::size_t count);
    void put_to_rest(store::MailboxNumber mailbox, Turns::Rest rest);
    void pause(store::MailboxNumber mailbox, store::Seq attempted, const std::string& reason);
    void wake_lane();
    static void wake_lanes(void* hand_off);
    void arm_timer();
    void publish();
    [[nodiscard]] bool all_named(const std::vector<Page>& pages) const;

    const Options options_;
    Uses uses_;
    const std::unique_ptr<Consumer> consumer_;
    Turns turns_;
    std::unordered_map<store::MailboxNumber, std::string> names_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    Timer timer_;
    Monotonic paused_until_{};
    std::uint32_t fruitless_batches_ = 0;  // in a row
    bool draining_ = false;
    std::atomic<std::uint64_t> open_{1};  // announcements under way, mailboxes that wait, and looks for them

    mutable std::mutex stats_mutex_;
    Stats stats_;

    runtime::Scope scope_;  // last
};

}  // namespace consumers
