#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/retriever/login_gate.hpp"
#include "engine/retriever/mailbox_session.hpp"
#include "engine/runtime/scope.hpp"
#include "engine/runtime/shard.hpp"

namespace retriever {

/// The mailboxes of one shard. All calls on the shard, except where noted.
class Retriever final : public Doorbell::Porter {
public:
    Retriever(runtime::Shard& shard, store::Committer& committer, runtime::Counters& counters,
              std::unique_ptr<tokens::TokenClient> tokens, StateBoard& board, Doorbell& bell, SessionBudget& sessions,
              const Options& options, std::size_t logins_at_once);

    /// Serves exactly these from now on: new ones start, missing ones end, changed ones start again, those that needed
    /// help try again at once.
    void serve(std::vector<Served> mailboxes);
    void drain();
    awaitable<void> join();  // after drain(), or after cancel()
    void cancel();
    void rung(store::MailboxNumber mailbox) override;

private:
    struct Entry {
        std::shared_ptr<MailboxSession> session;
        Served served;
        std::shared_ptr<Served> next;  // takes over when the session has ended
        bool leaving = false;
    };
    awaitable<void> run(store::MailboxNumber number);
    static awaitable<std::string> run_guarded(std::shared_ptr<MailboxSession> session);
    void start(Served served);
    void open_door(const Served& served);
    [[nodiscard]] std::shared_ptr<MailboxSession> session_of(const Served& served);

    runtime::Shard& shard_;
    store::Committer& committer_;
    runtime::Counters& counters_;
    std::unique_ptr<tokens::TokenClient> tokens_;
    StateBoard& board_;
    Doorbell& bell_;
    SessionBudget& sessions_;
    const Options& options_;
    LoginGate gate_;
    std::map<store::MailboxNumber, Entry> entries_;
    bool draining_ = false;
    runtime::Scope scope_;
};

}  // namespace retriever
