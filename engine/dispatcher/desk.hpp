#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/dispatcher/agenda.hpp"
#include "engine/dispatcher/house.hpp"
#include "engine/dispatcher/sending_work.hpp"
#include "engine/runtime/scope.hpp"

namespace dispatcher {

/// What a sender is doing, for people.
struct SenderState {
    store::MailboxNumber number = 0;
    std::string id;
    std::string phase;   // idle, sending, pacing, parked, suspended, cannot send
    std::string reason;  // of parked, suspended and cannot send
    std::optional<WallTime> until;
    std::size_t connections = 0;
    std::uint64_t recipients_today = 0;  // as of its last mail
};

/// One identity at one provider that mail is handed over as: its connections, its pace, its troubles. The mailboxes
/// that send through it take turns. A fault of the account parks the desk, one of a mailbox alone that mailbox, and no
/// message suffers. One shard.
class Desk {
public:
    explicit Desk(House& house)
        : house_(house), timer_(house.seams.timers, &Desk::rung, this), scope_(house.shard, report) {}

    /// A mailbox sends from here, from now on as `sender` says. Lines that lead elsewhere are closed.
    void put(Sender sender);
    void remove(store::MailboxNumber mailbox);
    [[nodiscard]] bool empty() const noexcept { return boxes_.empty(); }
    /// Something of the mailbox is durable that is due then.
    void queued(store::MailboxNumber mailbox, store::Millis due);
    void doubtful(store::MailboxNumber mailbox, store::Millis due);
    /// So many recipients were written to within a day, as the store has it.
    void spent(store::MailboxNumber mailbox, std::uint64_t recipients_today);
    /// What this mailbox waits for may be over: it is configured anew, or an operator says so.
    void try_again(store::MailboxNumber mailbox);

    void drain();            // what is under way is finished, nothing begins
    awaitable<void> join();  // after drain() or cancel()
    void cancel() { scope_.cancel(); }
    [[nodiscard]] std::vector<SenderState> states() const;

private:
    /// A pause after faults, which grows with them.
    struct Park {
        Monotonic until{};
        Effect why{};
        std::uint32_t failures = 0;  // in a row

        void begin(const Effect& effect, Monotonic now, double fraction);
        void end(Monotonic now);  // what it was for is over, unless it began anew meanwhile
    };
    struct Box {
        Sender sender;
        Pace pace;
        std::optional<store::Millis> due{};
        std::optional<store::Millis> doubtful{};
        bool backlog = false;     // more than one is due
        Park park{};              // its own
        Monotonic not_before{};   // the allowance is spent until then
        bool reserved = false;    // and that moment is its own
        Monotonic last_served{};  // others of the desk have their turn first
        std::uint64_t recipients_today = 0;
    };
    static void report(const std::string& name, const std::string& what);
    static void rung(void* desk) { static_cast<Desk*>(desk)->arrange(); }

    void arrange();
    void schedule(Box& box);
    [[nodiscard]] Monotonic ready_at(const Box& box) const;
    [[nodiscard]] Box* next_box();
    [[nodiscard]] Box* box_of(store::MailboxNumber mailbox);
    [[nodiscard]] bool may_send() const;
    [[nodiscard]] std::uint32_t connections_max() const;
    [[nodiscard]] Monotonic moment_of(store::Millis due) const;

    awaitable<void> work();
    SendingWork exchange_for(Box* box, std::shared_ptr<const Owed> owed);
    void note(const SendingWork::Got& got, store::MailboxNumber mailbox);
    void note_debt(store::MailboxNumber mailbox, const store::Outcome& outcome);
    awaitable<Owed> send(Line& line, Owed owed);
    awaitable<Result<smtp::Submission>> hand_over(smtp::Client& client, smtp::Envelope& envelope,
                                                  const store::BodyPlace& place, Attempt& attempt);
    void suffer(store::MailboxNumber mailbox, const Effect& effect);
    void recover(store::MailboxNumber mailbox);

    awaitable<std::unique_ptr<Line>> line_for(Sender sender);
    void rest(std::unique_ptr<Line> line);
    void dismiss_rested();
    void dismiss(std::unique_ptr<Line> line);
    static awaitable<void> say_good_bye(std::shared_ptr<Line> line);

    awaitable<void> look();

    House& house_;
    std::map<store::MailboxNumber, Box> boxes_;
    Agenda sending_, doubts_;
    std::uint32_t connections_ = 1;             // the most that one of the mailboxes may have
    std::deque<std::unique_ptr<Line>> rested_;  // the longest rest first
    std::size_t workers_ = 0;
    bool looking_ = false;
    bool draining_ = false;
    Park park_;
    std::uint32_t fewer_by_ = 0;  // connections, since the provider found them too many
    Monotonic fewer_since_{};
    Timer timer_;
    runtime::Scope scope_;  // last
};

}  // namespace dispatcher
