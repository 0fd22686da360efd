#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <string>

#include "protocols/http/message.hpp"
#include "protocols/http/reader.hpp"
#include "protocols/wait/timers.hpp"

namespace http {

/// Answers a request. What it throws becomes a 500 without words, and a report.
using Handler = std::function<awaitable<Response>(Request)>;

struct ServerOptions {
    Limits limits{.header_bytes_max = 32U << 10U, .body_bytes_max = 64U << 20U};  // import documents
    std::size_t connections_max = 256;                                            // more of them wait to be accepted
    std::chrono::milliseconds idle = std::chrono::seconds(75);  // between requests, and while a peer takes no bytes
    std::chrono::milliseconds request_within = std::chrono::minutes(1);  // from its first byte to its last
    std::function<void(const std::string& what)> report = [](const std::string&) {
    };  // failures of the handler, for the log
};

/// One connection of a Server, which owns it and whatever it refers to. One shard.
class Connection {
public:
    using Socket = asio::generic::stream_protocol::socket;

    Connection(Socket socket, std::string peer, Timers& timers, const Handler& handler, const ServerOptions& options);

    /// Request, answer, and so on, until the peer is through, or slow, or does not speak HTTP.
    awaitable<void> run();
    void cancel();
    [[nodiscard]] asio::cancellation_slot slot() noexcept { return cancel_.slot(); }

private:
    awaitable<Result<Request>> next_request(RequestReader& reader);
    awaitable<Response> answered(Request request);
    awaitable<Result<void>> send(std::string bytes);
    awaitable<Result<void>> receive();
    awaitable<void> turn_away(int status);
    awaitable<void> linger();
    void allow(std::chrono::milliseconds span);

    Socket socket_;
    std::string peer_;
    Timers& timers_;
    const Handler& handler_;
    const ServerOptions& options_;
    std::string input_;
    asio::cancellation_signal cancel_;
    Timer watchdog_;
};

}  // namespace http
