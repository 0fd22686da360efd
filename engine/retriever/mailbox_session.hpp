#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/retriever/folder_intake.hpp"
#include "engine/retriever/login_gate.hpp"
#include "engine/retriever/state_board.hpp"
#include "engine/retriever/verdict.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/tokens/token_client.hpp"
#include "protocols/imap/client.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/net/tls.hpp"
#include "queue/store/committer.hpp"

namespace retriever {

struct Options {
    std::chrono::milliseconds idle_renew = std::chrono::minutes(9);
    std::chrono::milliseconds poll_interval = std::chrono::minutes(5);
    imap::Client::FetchPlan fetch;
    imap::Limits limits;
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
    LoginGate& gate;
    StateBoard& board;
    const Options& options;
    Arrivals* arrivals = nullptr;
};

/// A provider as sessions use it, shared by all its mailboxes.
struct Place {
    config::Provider provider;
    std::shared_ptr<const net::TlsClient> tls;
};

/// One mailbox: keeps a session with its server alive, fetches what is new, and knows why when it does not.
/// Run by one coroutine on one shard.
class MailboxSession {
public:
    MailboxSession(House house, store::MailboxNumber number, std::shared_ptr<const config::Mailbox> mailbox,
                   bool password, std::shared_ptr<const Place> place);

    /// Until drain() or cancellation.
    awaitable<void> run();
    /// Finishes what is being fetched, says LOGOUT, and ends run().
    void drain();
    void pause(std::string reason);
    /// It cannot be served as configured: waits with that reason until it is replaced.
    void refuse(std::string fault) { fault_ = std::move(fault); }
    /// Goes on at once: after a pause, a new token, or because somebody asks.
    void resume();

    [[nodiscard]] const MailboxState& state() const noexcept { return state_; }

private:
    /// What a session begins with.
    struct Begun {
        std::unique_ptr<net::Stream> stream;
        tokens::SharedSecret secret;  // until the log-in
        std::uint64_t generation = 0;
    };
    /// What a session that stays keeps between two looks.
    struct Stay {
        std::vector<FolderIntake> folders;
        FolderIntake::Pendings pendings = FolderIntake::Pendings::retry;
        const FolderIntake* opened = nullptr;
        std::uint32_t late = 0;
        imap::Uid uid_next = 0;  // as STATUS said last; higher than what the folder shows: its view has stalled
    };
    awaitable<Ended> serve();
    awaitable<std::optional<Ended>> connect(Begun& begun);
    awaitable<Ended> converse(imap::Client& client, Begun& begun, LoginGate::Place place);
    awaitable<std::optional<Ended>> introduce(imap::Client& client, Begun& begun, LoginGate::Place& place);
    awaitable<std::optional<Ended>> log_in(imap::Client& client, Begun& begun);
    awaitable<Ended> stay(imap::Client& client);
    awaitable<std::optional<Ended>> take_all(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> look_from_outside(imap::Client& client, Stay& stay);
    struct News {
        imap::Client::Woken by = imap::Client::Woken::time;
        std::optional<Ended> ended;
    };
    awaitable<News> wait_for_news(imap::Client& client, bool late);
    awaitable<bool> nap(std::chrono::milliseconds span);
    void enter(Phase phase, std::string reason = {});
    void note_proof();
    [[nodiscard]] bool told_to_stop() const noexcept { return draining_ || !paused_.empty(); }
    [[nodiscard]] Ended stopped() const;

    House house_;
    std::shared_ptr<const config::Mailbox> mailbox_;  // also the retriever's
    bool password_;
    std::shared_ptr<const Place> place_;
    MailboxState state_;
    std::optional<Unfinished> unfinished_;
    Monotonic logged_in_at_{};
    std::uint32_t refusals_ = 0;  // log-ins in a row
    bool idle_lies_ = false;
    bool draining_ = false;
    std::string paused_;
    std::string fault_;
    imap::Client* client_ = nullptr;  // while a dialogue runs
    Parking wake_;
};

}  // namespace retriever
