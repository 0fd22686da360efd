#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protocols/http/message.hpp"
#include "protocols/wait/asio.hpp"
#include "protocols/wait/timers.hpp"

namespace http {

/// Answers one request. May run many times at once, on the server's shard; an exception becomes a 500 without words.
using Handler = std::function<awaitable<Response>(Request)>;

/// An HTTP/1.1 server on one shard: keep-alive, bounded header and body, idle connections closed. No TLS.
/// What is refused before the handler sees it: 400 malformed, 413 body, 431 header; 503 beyond connections_max.
class Server {
public:
    struct Options {
        Limits limits;
        std::chrono::milliseconds idle = std::chrono::seconds(60);  // between requests
        std::chrono::milliseconds request =
            std::chrono::seconds(30);  // from its first byte to its last; also the answer
        std::size_t connections_max = 1024;
    };
    Server(asio::any_io_executor shard, Timers& timers, Handler handler, Options options);
    Server(asio::any_io_executor shard, Timers& timers, Handler handler);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();  // close() has ended

    /// Errors: port_in_use, and the system's (permission_denied, address_not_available).
    Result<void> listen(const asio::ip::tcp::endpoint& at);
    /// A socket file of mode 0600. One that nobody serves any more is replaced; close() removes it.
    /// Errors: port_in_use (somebody answers there), path_too_long, and the system's.
    Result<void> listen_unix(const std::string& socket_path);
    /// The TCP port of the first listen(): what the system chose for port 0.
    [[nodiscard]] std::uint16_t port() const;

    /// Accepts no more, closes idle connections, and waits until running requests were answered.
    awaitable<void> close();
    [[nodiscard]] std::size_t connections() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace http
