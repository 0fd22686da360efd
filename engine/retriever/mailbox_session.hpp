#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/retriever/audit_plan.hpp"
#include "engine/retriever/doorbell.hpp"
#include "engine/retriever/intake.hpp"
#include "engine/retriever/login_gate.hpp"
#include "engine/retriever/reach.hpp"
#include "engine/retriever/session_budget.hpp"
#include "engine/retriever/state_board.hpp"
#include "engine/retriever/verdict.hpp"
#include "engine/retriever/visit_plan.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/runtime/scope.hpp"
#include "engine/tokens/token_client.hpp"
#include "protocols/imap/client.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/pop3/types.hpp"
#include "queue/store/committer.hpp"

namespace retriever {

struct Options {
    std::chrono::milliseconds idle_renew = std::chrono::minutes(9);
    std::chrono::milliseconds poll_interval = std::chrono::minutes(5);
    bool visits_at_once = false;  // POP3: the schedule of the last run does not count, but for what servers demand
    imap::Client::FetchPlan fetch;
    imap::Limits limits;
    pop3::Limits pop3_limits;
    imap::Paces paces;
    Intake::Sizes sizes;
};

/// What a session uses of its shard and of the engine. All of it outlives the session.
struct House {
    Seams& seams;
    queue::Inbox& inbox;
    queue::ByteBudget& budget;
    store::Committer& committer;
    runtime::Counters& counters;
    tokens::TokenClient& tokens;
    SessionBudget& sessions;
    LoginGate& gate;
    StateBoard& board;
    Doorbell& bell;
    const Options& options;
    runtime::Scope& scope;  // where sessions start what runs beside them
    Arrivals* arrivals = nullptr;
};

/// Who is served, and how it is reached.
struct Served {
    store::MailboxNumber number = 0;
    std::shared_ptr<const config::Mailbox> mailbox;
    bool password = false;
    std::shared_ptr<const Place> place;
    std::shared_ptr<const std::vector<Share>> shares;  // what its sessions count for; the credential's is the first
    Arrivals* arrivals = nullptr;                      // lives as long as the engine
    std::string paused;                                // reason of the operator; empty: not paused
    std::string fault;                                 // why it cannot be served as configured; empty: it can
    store::Digest documents{};  // of all that it is configured by: tells whether anything has changed
};

/// One mailbox: keeps in touch with its server, fetches what is new, and knows why when it does not. What is the same
/// for all protocols is here. Run by one coroutine on one shard.
class MailboxSession {
public:
    MailboxSession(House house, const Served& served, SessionBudget::Kind kind);
    virtual ~MailboxSession() = default;
    MailboxSession(const MailboxSession&) = delete;
    MailboxSession& operator=(const MailboxSession&) = delete;

    /// Until drain() or cancellation.
    awaitable<void> run();
    /// Finishes what is being fetched, takes leave of the server, and ends run().
    void drain();
    void pause(std::string reason);
    /// It cannot be served as configured: waits with that reason until it is replaced.
    void refuse(std::string fault) { fault_ = std::move(fault); }
    /// Goes on at once: after a pause, a new token, or because somebody asks.
    void resume();
    /// There is something to do at the server; where none is connected, it waits for the next session.
    void rung();

    [[nodiscard]] const MailboxState& state() const noexcept { return state_; }

protected:
    /// Keeps in touch until something ends it.
    virtual awaitable<Ended> serve() = 0;
    /// A dialogue that waits for news goes on.
    virtual void wake_dialogue() noexcept {}
    /// What runs beside the session comes to its end.
    virtual awaitable<void> dismiss() { co_return; }

    /// A place within the budget of sessions, when it is this one's turn. Where it is told to stop, none.
    awaitable<void> take_seat();
    [[nodiscard]] SessionBudget::Seat& seat() noexcept { return seat_; }
    /// Mail has come: the place is given up after those of others.
    void note_news() { last_news_ = house_.seams.timers.now(); }
    [[nodiscard]] Monotonic last_news() const noexcept { return last_news_; }
    /// A token and a connection.
    awaitable<std::optional<Ended>> connect(const config::Host& host, Begun& begun);
    /// The log-in went well.
    void logged_in(const Begun& begun);
    /// It was refused as `ended` says: a token is reported once, then a person has to look.
    Ended login_refused(Ended ended, const Begun& begun);
    /// The session ended with its token.
    void token_expired(const Begun& begun);
    void show_last_lines(const Ended& ended, const std::vector<std::string>& lines) const;
    awaitable<bool> nap(std::chrono::milliseconds span);
    void enter(Phase phase, std::string reason = {});
    /// By the operator, or because others wait for the place.
    [[nodiscard]] bool told_to_stop() const noexcept { return leaving_ || !paused_.empty(); }
    [[nodiscard]] const bool& leaving() const noexcept { return leaving_; }
    /// Somebody asked to go on at once; true once for each time.
    [[nodiscard]] bool take_asked() noexcept { return std::exchange(asked_, false); }
    /// Whether the mailbox is to be compared with its ledger now; one that was asked for is due until it is finished.
    AuditDue take_audit_due();
    /// The last folder is compared: everybody sees it.
    awaitable<std::optional<Ended>> finish_audit(runtime::Audit audit);
    /// It rang since this was asked last.
    bool take_rung() noexcept { return std::exchange(rung_, false); }
    [[nodiscard]] Ended stopped() const;
    [[nodiscard]] IntakeHouse intake_house() const noexcept;
    static Ended failed(error_code error, const std::string& doing);

    House house_;
    std::shared_ptr<const config::Mailbox> mailbox_;  // also the retriever's
    bool password_;
    std::shared_ptr<const Place> place_;
    MailboxState state_;
    Monotonic logged_in_at_{};

private:
    void called();
    awaitable<void> wait_for_next_visit();

    std::uint32_t refusals_ = 0;  // log-ins in a row
    bool draining_ = false;
    bool leaving_ = false;  // draining, or the place is wanted by others
    bool in_line_ = false;  // for a place
    bool asked_ = false;
    Monotonic audit_of_{};  // the connection for which it was looked whether an audit is due
    bool rung_ = false;
    std::string paused_;
    std::string fault_;
    Monotonic last_news_{};
    std::uint64_t stored_before_ = 0;     // this session
    std::optional<store::Visit> visits_;  // while others have the place
    Parking wake_;
    SessionBudget::Seat seat_;
};

/// Counts something for as long as it lasts.
class Counted {
public:
    explicit Counted(std::atomic<std::uint64_t>& count) : count_(count) { ++count_; }
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    std::atomic<std::uint64_t>& count_;
};

/// Shows a running dialogue to whoever wakes it, for as long as it lasts.
class Shown {
public:
    Shown(imap::Client*& place, imap::Client& client) : place_(place) { place_ = &client; }
    ~Shown() { place_ = nullptr; }
    Shown(const Shown&) = delete;
    Shown& operator=(const Shown&) = delete;

private:
    imap::Client*& place_;
};

}  // namespace retriever
