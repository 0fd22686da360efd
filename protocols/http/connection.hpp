#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <string>

#include "protocols/http/message.hpp"
#include "protocols/http/reader.hpp"
#include "protocols/net/tls_server.hpp"
#include "protocols/wait/timers.hpp"

namespace net {
class TlsSession;
}

namespace http {

/// Answers a request. What it throws becomes a 500 without words, and a report.
using Handler = std::function<awaitable<Response>(Request)>;

struct ServerOptions {
    Limits limits{.header_bytes_max = 32U << 10U, .body_bytes_max = 64U << 20U};  // import documents
    /// How much of a body to take, by the head alone, which is a Request without one; unset: limits say. Whoever has
    /// not shown who he is need not fill our memory.
    std::function<std::size_t(const Request& head)> body_bytes_max_of{};
    std::shared_ptr<const net::TlsServer> tls{};                // of connections from now on; nullptr: plain
    std::size_t connections_max = 256;                          // more of them wait to be accepted
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
    ~Connection();

    /// Request, answer, and so on, until the peer is through, or slow, or does not speak HTTP.
    awaitable<void> run();
    void cancel();
    [[nodiscard]] asio::cancellation_slot slot() noexcept { return cancel_.slot(); }

private:
    awaitable<Result<Request>> next_request(RequestReader& reader);
    awaitable<Response> answered(Request request);
    awaitable<bool> shake_hands();
    [[nodiscard]] Result<void> judge_head(RequestReader& reader) const;
    awaitable<Result<void>> send(std::string bytes);
    awaitable<Result<void>> send_encrypted(std::string_view bytes);
    awaitable<Result<void>> send_as_it_is(std::string_view bytes);
    awaitable<Result<void>> receive();
    awaitable<Result<void>> receive_encrypted(std::string_view bytes);
    awaitable<void> turn_away(int status);
    awaitable<void> linger();
    void allow(std::chrono::milliseconds span);

    Socket socket_;
    std::string peer_;
    Timers& timers_;
    const Handler& handler_;
    const ServerOptions& options_;
    std::unique_ptr<net::TlsSession> tls_;  // nullptr: plain
    std::string input_;
    asio::cancellation_signal cancel_;
    Timer watchdog_;
};

}  // namespace http
