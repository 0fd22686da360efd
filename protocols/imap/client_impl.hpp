#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/imap/client.hpp"
#include "protocols/imap/command.hpp"
#include "protocols/imap/dialogue.hpp"
#include "protocols/imap/fetch_run.hpp"
#include "protocols/imap/response_reader.hpp"
#include "protocols/imap/session.hpp"

namespace imap {

/// What one exchange (commands and everything until their tagged answers) does with what arrives, and what came.
struct Exchange {
    std::string tag;  // of the command that ends it; unused with `fetch`
    std::function<Result<void>(const Response& untagged)> listener{};  // empty: nobody cares
    UidSet* found = nullptr;                                           // of SEARCH
    FetchRun* fetch = nullptr;
    Answer answer{};           // after Stop::tagged
    bool news = false;         // EXISTS, EXPUNGE, VANISHED or FETCH came
    std::size_t searches = 0;  // SEARCH and ESEARCH answers
    std::size_t untagged = 0;  // what was not asked for
};

/// Why the responses that have arrived are not worked through any further.
enum class Stop { more, continuation, tagged, sink_full };

struct Client::Impl {
    Impl(net::Stream& peer, Limits bounds, Paces speed) : stream(peer), limits(bounds), paces(speed), reader(bounds) {}

    /// Works through what has arrived. Synchronous: a FETCH answer costs no coroutine.
    Result<Stop> pump(Exchange& exchange);
    /// Reads until there is a Stop other than more.
    awaitable<Result<Stop>> next_stop(Exchange& exchange);
    /// Until the tagged answer; continuations that nobody awaits are skipped (Exchange 2026-11 sends some).
    awaitable<Result<Answer>> finish(Exchange& exchange);
    /// Sends a command and its literals, and reads until its tagged answer.
    awaitable<Result<Answer>> run(Command command, Exchange& exchange);
    /// Merges one answer to SEARCH into exchange.found. Errors: too_many_responses.
    Result<void> take_found(const UidSet& found, Exchange& exchange) const;
    awaitable<Result<void>> write_line(std::string line);
    awaitable<Result<void>> write_secret(std::string shown, Secret line);

    awaitable<Result<Answer>> ask_capabilities();
    awaitable<Result<Answer>> put_into(std::string name, UidSet uids, std::string folder);
    awaitable<Result<Answer>> authenticate(std::string mechanism, Secret initial, std::string_view error_answer);
    awaitable<Result<Answer>> log_in_with_password(std::string user, Secret password);
    /// Sends the commands of `fetching` as `plan` says and passes on what they bring, until all are answered.
    awaitable<Result<Fetch>> carry_out(FetchRun& fetching, FetchPlan plan, FetchSink& sink);
    /// What FETCH calls the id of a message's content; empty: the server has none.
    [[nodiscard]] std::string_view email_id_item() const;
    /// Of IDLE; in coroutines of their own, so that one that waits keeps a small frame.
    awaitable<Result<void>> begin_idle(Exchange& exchange);
    awaitable<Result<void>> end_idle(Exchange& exchange);
    awaitable<Result<Woken>> wait_for_news(Exchange& exchange, std::chrono::milliseconds within);

    net::Stream& stream;
    Limits limits;
    Paces paces;
    ResponseReader reader;
    Session session;
    Dialogue dialogue;
    bool wake_asked = false;
    bool idling = false;     // waiting for news
    FetchItem last_fetched;  // of the selected mailbox; its numbers alone

private:
    Result<Stop> take_response(std::string_view text, Exchange& exchange);
    Result<Stop> take_fetched(Exchange& exchange);
    [[nodiscard]] bool in_order(const FetchItem& item) noexcept;
    Result<void> count_untagged(Exchange& exchange) const;
};

}  // namespace imap
