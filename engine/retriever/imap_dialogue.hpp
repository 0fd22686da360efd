#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "engine/retriever/mailbox_session.hpp"
#include "protocols/imap/client.hpp"

namespace retriever {

/// A mailbox over IMAP, one connection after the other: from the token to a session that may open folders. What is done
/// then is for those that derive from it.
class ImapDialogue : public MailboxSession {
protected:
    using MailboxSession::MailboxSession;

    /// Logged in: keeps in touch until something ends it.
    virtual awaitable<Ended> stay(imap::Client& client) = 0;
    void wake_dialogue() noexcept final;

    /// The folders that the mailbox is about, looked up where that takes it; `except` is chosen by no pattern.
    awaitable<std::optional<Ended>> find_names(imap::Client& client, std::string except,
                                               std::vector<std::string>& names);
    struct News {
        imap::Client::Woken by = imap::Client::Woken::time;
        std::optional<Ended> ended;  // the session
    };
    /// Until the server has news, somebody rings, or the span is over: in IDLE, or asleep where it has none.
    awaitable<News> wait_for_news(imap::Client& client, std::chrono::milliseconds span);
    /// LOGOUT; the end of a session that was told to stop.
    awaitable<Ended> take_leave(imap::Client& client);
    /// Not longer than until then, and long enough for a clock that runs a little ahead.
    [[nodiscard]] std::chrono::milliseconds span_until(std::optional<store::Millis> due,
                                                       std::chrono::milliseconds most) const;
    void note_proof();
    [[nodiscard]] store::Millis now() const;

private:
    awaitable<Ended> serve() final;
    awaitable<Ended> converse(imap::Client& client, Begun& begun, LoginGate::Place place);
    awaitable<std::optional<Ended>> introduce(imap::Client& client, Begun& begun, LoginGate::Place& place);

    imap::Client* client_ = nullptr;  // while a dialogue runs
};

}  // namespace retriever
