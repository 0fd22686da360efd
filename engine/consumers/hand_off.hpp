#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
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
/// nobody else. Several lanes: while one delivers, another's committer jobs (acknowledge, read on) are under way.
///
/// A failure pauses the mailbox that it met, with a reason; when several batches in a row deliver nothing because the
/// consumer takes nothing, it pauses as a whole. A message is set aside in the store, with the reason, and the next one
/// goes on: when its bytes are damaged, when the consumer refuses it for good, and when it failed `attempts_max` times
/// in a row at a consumer that took something since the last one was given up so (which an outage does not). When
/// `refusals_max` were refused in a row, nothing more is set aside until one is taken: the consumer itself is at fault.
/// Ends after its shard's loop has ended.
class HandOff {
public:
    struct Options {
        std::string consumer;
        std::size_t batch_mails_max = 256;  // the most there can be: a sync costs the same for many
        std::uint64_t batch_bytes_max = 8ULL << 20;
        std::size_t lanes = 2;
        /// What one lane takes of the mailboxes that wait: all it can, or its share.
        enum class Lots { all, shared } lots = Lots::all;
        std::uint32_t attempts_max = 20;
        std::uint32_t refusals_max = 100;
        bool folder_names = false;  // mails know theirs
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
    /// Any thread: the mailbox was rewound in the store. Its mail up to `repeat_until` is handed off again, as possible
    /// repeats.
    void rewound(store::MailboxNumber mailbox, store::Seq repeat_until);
    /// Any thread: a mail that was set aside is tried again, out of order. It stays set aside until it is delivered.
    void retry(store::MailboxNumber mailbox, store::Seq seq);
    /// Any thread: all that was announced to arrived() before is delivered and acknowledged.
    [[nodiscard]] bool idle() const noexcept { return open_.load(std::memory_order_acquire) == 0; }
    /// On the shard: ends after the batches under way, acknowledgements included.
    awaitable<void> drain();
    /// On the shard: begins to drain, and cuts off what has not ended after `grace`. drain() waits for it.
    void drain_within(std::chrono::milliseconds grace);
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
    /// Why the mail of a mailbox waits; empty: it does not, or goes on. Any thread.
    [[nodiscard]] std::string reason_of(std::string_view mailbox) const;

private:
    class ArrivalNote;
    class LookNote;
    class RewindNote;
    class RetryNote;
    struct Acknowledgement {
        store::MailboxNumber mailbox = 0;
        store::Seq from = 0;  // where it was read from: when it stands before that now, it was rewound meanwhile
        store::Seq seq = 0;
        Turns::Rest rest = Turns::Rest::nothing;
        bool taken = true;  // false: it pauses already, or is read on
    };
    struct Reading {
        store::MailboxNumber mailbox = 0;  // taken
        store::Seq attempted = 0;
        std::vector<store::Seq> retries{};  // not empty: these that are set aside, and nothing else
    };
    /// What waits of one mailbox.
    struct Page {
        store::MailboxNumber mailbox = 0;
        store::Seq acked = 0;
        store::Seq last_seq = 0;
        bool retries = false;                  // they are set aside
        std::vector<store::Message> messages;  // in order
        std::vector<store::Seq> repeats;       // of them, that may have been handed off as others before
    };
    /// One job for the committer: set aside and acknowledge first, then read on.
    struct Step {
        std::vector<store::SetAside> forget;  // retried: set aside anew, or delivered
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
    /// A mailbox, as mails name it. Those under way keep theirs when it changes.
    struct Named {
        std::string id;
        std::string address;
        std::map<store::FolderNumber, std::string> folders{};  // with folder_names alone
    };
    struct FoldersWork;

    awaitable<void> begin();
    void begin_to_drain();
    awaitable<void> look_for_waiting(store::Seq repeat_window);
    awaitable<void> look_anew();
    awaitable<void> serve(std::size_t lane);
    awaitable<void> load_names();
    awaitable<void> load_folders(const std::vector<Page>& pages);
    void plan(Step& step);
    void settle(const Step& step, const Result<std::vector<Page>>& pages);
    awaitable<Step> hand_over(std::vector<Page> pages);
    Step take_stock(const std::vector<Page>& pages, const Delivered& delivered);
    /// What becomes of the page whose mail at `count` was not delivered.
    void stop_at(const Page& page, std::size_t count, store::Seq attempted, const Delivered& delivered, Step& next);
    void note_retries(const Page& page, std::size_t count, const Delivered& delivered, Step& next);
    bool gives_up(store::MailboxNumber mailbox, store::Seq seq, const Delivered& delivered);
    void note(const Delivered& delivered);
    store::SetAside set_aside(const store::Message& message, const std::string& reason);
    void count_delivered(const Page& page, std::size_t count);
    void put_to_rest(store::MailboxNumber mailbox, Turns::Rest rest);
    void pause(store::MailboxNumber mailbox, store::Seq attempted, const std::string& reason);
    void wake_lane();
    static void wake_lanes(void* hand_off);
    void arm_timer();
    void publish();
    [[nodiscard]] bool all_named(const std::vector<Page>& pages) const;
    const std::string& name_of(store::MailboxNumber mailbox);
    std::shared_ptr<const Named> named(store::MailboxNumber mailbox);

    const Options options_;
    Uses uses_;
    const std::unique_ptr<Consumer> consumer_;
    Turns turns_;
    std::unordered_map<store::MailboxNumber, std::shared_ptr<const Named>> names_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    Timer timer_;
    Timer grace_;
    std::map<store::MailboxNumber, std::vector<store::Seq>> retries_;  // that were asked for
    Monotonic paused_until_{};
    std::uint32_t fruitless_batches_ = 0;  // in a row
    std::uint32_t refusals_ = 0;           // in a row
    bool took_something_ = true;           // since it failed with a mail that was given up
    bool draining_ = false;
    std::atomic<std::uint64_t> open_{1};  // announcements under way, mailboxes that wait, and looks for them

    mutable std::mutex stats_mutex_;
    Stats stats_;
    std::map<std::string, std::string, std::less<>> reasons_;  // of mailboxes that failed last

    runtime::Scope scope_;  // last
};

}  // namespace consumers
