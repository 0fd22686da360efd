#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/imap/dialogue.hpp"
#include "protocols/pop3/client.hpp"
#include "protocols/pop3/response_reader.hpp"

namespace pop3 {

/// What one answer brings besides its status line.
struct Exchange {
    ResponseReader::Shape shape = ResponseReader::Shape::status;
    std::function<Result<void>(std::string_view line)> listener{};  // empty: nobody cares
    FetchSink* sink = nullptr;
    imap::FetchItem item{};      // of the message that goes there
    Answer answer{};             // after Stop::answered
    std::string continuation{};  // after Stop::continuation, still in base 64
    bool begun = false;          // the status line was there
};

/// Why the bytes that have arrived are not worked through any further.
enum class Stop { more, continuation, answered, sink_full };

struct Client::Impl {
    Impl(net::Stream& peer, Limits bounds, Paces speed) : stream(peer), limits(bounds), paces(speed), reader(bounds) {}

    void begin(const Exchange& exchange) noexcept { reader.expect(exchange.shape); }
    /// Works through what has arrived. Synchronous: a message costs no coroutine.
    Result<Stop> pump(Exchange& exchange);
    /// Reads until there is a Stop other than more.
    awaitable<Result<Stop>> next_stop(Exchange& exchange);
    /// Until the answer is complete. Errors: unexpected_continuation.
    awaitable<Result<Answer>> finish(Exchange& exchange);
    /// Sends a command and reads its answer.
    awaitable<Result<Answer>> run(std::string command, Exchange& exchange);
    awaitable<Result<void>> write_line(std::string line);
    awaitable<Result<void>> write_secret(std::string shown, Secret line);

    awaitable<Result<Answer>> ask_capabilities();
    awaitable<Result<Answer>> authenticate(std::string mechanism, Secret initial, Initial place,
                                           std::string_view error_answer);
    awaitable<Result<Answer>> log_in_with_password(std::string user, Secret password);
    /// Reads one message of a fetch() into the sink.
    awaitable<Result<Answer>> take_message(Exchange& exchange);

    net::Stream& stream;
    Limits limits;
    Paces paces;
    ResponseReader reader;
    Capabilities capabilities;
    imap::Dialogue dialogue;
    std::optional<Number> unfinished;

private:
    Result<Stop> take_status(std::string_view line, Exchange& exchange);
    Stop take_end(Exchange& exchange);
};

}  // namespace pop3
