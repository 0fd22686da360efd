#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/dispatcher/line.hpp"
#include "engine/dispatcher/sending_work.hpp"
#include "engine/dispatcher/sent_items.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/runtime/scope.hpp"
#include "queue/inbox.hpp"
#include "queue/store/committer.hpp"

namespace dispatcher {

/// What a desk uses of its shard and of the engine. All of it outlives the desk.
struct House {
    asio::any_io_executor shard;
    Seams& seams;
    queue::Inbox& inbox;
    store::Committer& committer;
    const store::Bodies& bodies;
    tokens::TokenClient& tokens;
    runtime::Counters& counters;
    Line::Sizes sizes{};
    SettlingRules settling{};
    LookingRules looking{};
    std::chrono::milliseconds rest{60'000};               // of a line before it says good-bye
    std::function<void(store::MailboxNumber)> bounced{};  // a report was put into a mailbox's ledger
    std::function<bool(store::MailboxNumber)> has_consumer{};
};

/// What a sender is doing, for people.
struct SenderState {
    store::MailboxNumber number = 0;
    std::string id;
    std::string phase;   // idle, sending, pacing, parked, suspended, cannot send
    std::string reason;  // of parked, suspended and cannot send
    std::optional<WallTime> until;
    std::size_t connections = 0;
    std::uint64_t recipients_today = 0;
};

/// One identity at one provider that mail is handed over as: its connections, its pace, its troubles. The mailboxes
/// that send through it take turns. A fault of the account parks the desk, and no message suffers. One shard.
class Desk {
public:
    explicit Desk(House& house)
        : house_(house), timer_(house.seams.timers, &Desk::rung, this), scope_(house.shard, report) {}

    /// A mailbox sends from here, from now on as `sender` says.
    void put(Sender sender);
    void remove(store::MailboxNumber mailbox);
    [[nodiscard]] bool empty() const noexcept { return boxes_.empty(); }
    /// Something of the mailbox is durable that is due then.
    void queued(store::MailboxNumber mailbox, store::Millis due);
    void doubtful(store::MailboxNumber mailbox, store::Millis due);
    /// What the desk waits for may be over: a new token, an operator's word.
    void try_again();

    void drain();            // what is under way is finished, nothing begins
    awaitable<void> join();  // after drain() or cancel()
    void cancel() { scope_.cancel(); }
    [[nodiscard]] std::vector<SenderState> states() const;

private:
    struct Box {
        Sender sender;
        Pace pace;
        std::optional<store::Millis> due{};
        std::optional<store::Millis> doubtful{};
        bool backlog = false;  // more than one is due
    };
    static void report(const std::string& name, const std::string& what);
    static void rung(void* desk) { static_cast<Desk*>(desk)->arrange(); }

    void arrange();
    awaitable<void> work();
    awaitable<void> look();
    awaitable<std::unique_ptr<Line>> line_for(Sender sender);
    awaitable<Owed> send(Line& line, store::Submission submission);
    void suffer(const Effect& effect);
    void recover();
    void dismiss_rested();
    static awaitable<void> say_good_bye(std::shared_ptr<Line> line);
    [[nodiscard]] Box* next_box();
    [[nodiscard]] bool may_send() const;
    [[nodiscard]] bool sendable(const Box& box) const;
    [[nodiscard]] Monotonic ready_at(const Box& box, Monotonic now) const;
    [[nodiscard]] std::uint32_t connections_max() const;
    [[nodiscard]] store::Millis wall() const;
    [[nodiscard]] Monotonic moment_of(store::Millis due, Monotonic now) const;

    House& house_;
    std::map<store::MailboxNumber, Box> boxes_;
    store::MailboxNumber last_served_ = 0;
    std::deque<std::unique_ptr<Line>> rested_;  // the longest rest first
    std::size_t workers_ = 0;
    bool looking_ = false;
    bool draining_ = false;
    Monotonic parked_until_{};
    Effect parked_for_{};
    std::uint32_t failures_ = 0;  // in a row
    std::uint32_t fewer_by_ = 0;  // connections, since the provider found them too many
    Monotonic fewer_since_{};
    Timer timer_;
    runtime::Scope scope_;  // last
};

}  // namespace dispatcher
