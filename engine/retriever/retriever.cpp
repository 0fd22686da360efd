#include "engine/retriever/retriever.hpp"

#include <fmt/format.h>

#include <set>

#include "engine/retriever/imap_session.hpp"
#include "engine/retriever/pop3_session.hpp"
#include "engine/retriever/shadow_session.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

namespace {

constexpr auto pause_after_crash = std::chrono::milliseconds(std::chrono::seconds(30));

void report(const std::string& name, const std::string& what) {
    spdlog::error("{} id=session-crashed reason={}", name, runtime::value(what));
}

}  // namespace

Retriever::Retriever(runtime::Shard& shard, store::Committer& committer, runtime::Counters& counters,
                     std::unique_ptr<tokens::TokenClient> tokens, StateBoard& board, Doorbell& bell,
                     SessionBudget& sessions, const Options& options, std::size_t logins_at_once)
    : shard_(shard),
      committer_(committer),
      counters_(counters),
      tokens_(std::move(tokens)),
      board_(board),
      bell_(bell),
      sessions_(sessions),
      options_(options),
      gate_(logins_at_once),
      scope_(shard.executor(), report) {}

void Retriever::serve(std::vector<Served> mailboxes) {
    if (draining_) return;
    std::set<store::MailboxNumber> wanted;
    for (auto& served : mailboxes) {
        wanted.insert(served.number);
        const auto found = entries_.find(served.number);
        if (found == entries_.end()) {
            start(std::move(served));
            continue;
        }
        Entry& entry = found->second;
        if (!entry.leaving && entry.served.documents == served.documents && entry.served.fault == served.fault) {
            if (entry.served.paused != served.paused) {
                entry.served.paused = served.paused;
                served.paused.empty() ? entry.session->resume() : entry.session->pause(served.paused);
            } else if (entry.session->state().phase == Phase::needs_help ||
                       (entry.served.paused.empty() && board_.audit_asked(entry.served.mailbox->id))) {
                entry.session->resume();  // somebody did something: a new secret, a right, or just asks
            }
            continue;
        }
        entry.next = std::make_shared<Served>(std::move(served));
        entry.leaving = true;
        entry.session->drain();
    }
    for (auto& [number, entry] : entries_) {
        if (wanted.contains(number)) continue;
        entry.next.reset();
        entry.leaving = true;
        entry.session->drain();
    }
}

void Retriever::drain() {
    draining_ = true;
    for (auto& [number, entry] : entries_) {
        entry.next.reset();
        entry.session->drain();
    }
}

awaitable<void> Retriever::join() { return scope_.join(); }

void Retriever::cancel() { scope_.cancel(); }

void Retriever::start(Served served) {
    const auto number = served.number;
    const auto name = fmt::format("mailbox={}", served.mailbox->id);
    Entry entry;
    entry.session = session_of(served);
    entry.served = std::move(served);
    board_.put(entry.session->state());
    open_door(entry.served);
    entries_.insert_or_assign(number, std::move(entry));
    scope_.spawn(name, run(number));
}

/// POP3 deals with mail when its visits come, and a shadow with none.
void Retriever::open_door(const Served& served) {
    if (served.mailbox->protocol == config::Protocol::pop3 || served.mailbox->shadow) return bell_.close(served.number);
    const bool changes = served.fault.empty() && served.mailbox->after != config::After::keep;
    bell_.open(served.number, {served.mailbox->id, &shard_.inbox(), this, changes});
}

void Retriever::rung(store::MailboxNumber mailbox) {
    const auto found = entries_.find(mailbox);
    if (found != entries_.end()) found->second.session->rung();
}

awaitable<void> Retriever::run(store::MailboxNumber number) {
    for (;;) {
        const auto session = entries_.at(number).session;
        auto crash = co_await run_guarded(session);
        if (!crash.empty()) {
            spdlog::error("mailbox={} id=session-crashed next_ms={} reason={}", session->state().id,
                          pause_after_crash.count(), runtime::value(crash));
            co_await shard_.timers().sleep_for(pause_after_crash);
        }
        Entry& entry = entries_.at(number);
        const auto next = std::move(entry.next);
        if (next) entry.served = std::move(*next);
        const bool over = !next && (entry.leaving || draining_);
        if (over) break;
        entry.session = session_of(entry.served);
        open_door(entry.served);
        entry.leaving = false;
    }
    board_.remove(entries_.at(number).served.mailbox->id);
    bell_.close(number);
    if (!draining_) entries_.erase(number);
}

/// What crashed the session, in words; empty when it ended as it should. Cancellation passes through.
awaitable<std::string> Retriever::run_guarded(std::shared_ptr<MailboxSession> session) {
    std::string crash;
    try {
        co_await session->run();
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        crash = error.what();
    } catch (const std::exception& error) {
        crash = error.what();
    }
    co_return crash;
}

std::shared_ptr<MailboxSession> Retriever::session_of(const Served& served) {
    const House house{shard_.seams(), shard_.inbox(), shard_.budget(), committer_, counters_, *tokens_,       sessions_,
                      gate_,          board_,         bell_,           options_,   scope_,    served.arrivals};
    std::shared_ptr<MailboxSession> session;
    if (served.mailbox->shadow) {
        session = std::make_shared<ShadowSession>(house, served);
    } else if (served.mailbox->protocol == config::Protocol::pop3) {
        session = std::make_shared<Pop3Session>(house, served);
    } else {
        session = std::make_shared<ImapSession>(house, served);
    }
    if (!served.fault.empty()) session->refuse(served.fault);
    if (!served.paused.empty()) session->pause(served.paused);
    return session;
}

}  // namespace retriever
