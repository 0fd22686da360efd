#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/control/surroundings.hpp"
#include "engine/runtime/scope.hpp"
#include "engine/webhooks/post.hpp"
#include "queue/retry.hpp"
#include "queue/store/committer.hpp"

namespace webhooks {

/// Posts the events that a webhook wants, from where it stood when the last process ended. At least once, those of one
/// submission in their order; what is not taken is posted again with growing pauses, until it is a week old and kept no
/// longer. Lives on one shard; ends after the loop of its shard has ended.
class Feed {
public:
    struct Uses {
        asio::any_io_executor shard;
        queue::Inbox& inbox;  // of the shard
        Seams& seams;
        store::Committer& committer;
        std::shared_ptr<control::MailboxNames> names;
        std::string source;  // of CloudEvents: who speaks
    };
    struct Stats {
        std::uint64_t posted = 0;
        std::uint64_t refused = 0;  // attempts
        std::uint64_t dropped = 0;  // events that were too old in the end
        std::string reason;         // of the newest failure; empty: it goes well
    };

    Feed(const Uses& uses, config::Webhook webhook, Receiver receiver);

    void start();
    void cancel();
    awaitable<void> join();
    [[nodiscard]] const Stats& stats() const noexcept { return stats_; }
    [[nodiscard]] const config::Webhook& webhook() const noexcept { return webhook_; }
    [[nodiscard]] const Receiver& receiver() const noexcept { return receiver_; }

private:
    struct Event {
        std::int64_t number = 0;
        std::int64_t lane = 0;  // those of one lane are posted one after the other
        WallTime at{};
        Parcel parcel;
    };
    struct Page {
        std::vector<Event> events;
        std::int64_t last = 0;  // looked at
        bool more = false;
    };
    struct ReadWork;

    awaitable<void> run();
    awaitable<std::int64_t> begin();
    awaitable<void> deliver(std::vector<Event> events);
    awaitable<void> deliver_lane(std::vector<Event> events, std::shared_ptr<std::size_t> lanes_left);
    awaitable<void> deliver_one(Event event);
    awaitable<Result<void>> keep(std::int64_t cursor);

    Uses uses_;
    config::Webhook webhook_;
    Receiver receiver_;
    Stats stats_;
    Parking lanes_done_;
    runtime::Scope scope_;  // last
};

/// An event as it is posted. The id is the same whenever, and in whichever process, it is posted.
Parcel parcel_of(const store::OutboxEvent& event, const std::string& mailbox, const std::string& source);

}  // namespace webhooks
