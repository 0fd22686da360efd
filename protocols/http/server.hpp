#pragma once

#include <memory>
#include <string>

#include "protocols/base/result.hpp"
#include "protocols/http/connection.hpp"

namespace http {

/// An HTTP/1.1 server on one shard. It owns its connections: they end on close(), or with it; a coroutine that is
/// cancelled still needs the event loop, so join() comes before whatever the handler refers to ends.
class Server {
public:
    /// On a numeric address; port 0 lets the system choose. Errors: address_in_use, access_denied, … of the system.
    static Result<std::unique_ptr<Server>> listen_tcp(const asio::any_io_executor& shard, Timers& timers,
                                                      const std::string& address, std::uint16_t port, Handler handler,
                                                      ServerOptions options = {});
    /// On a Unix socket that only our own user may use (mode 0600). A socket file that nobody answers at is replaced.
    /// Errors: address_in_use (somebody answers there, or it is no socket), socket_path_too_long, … of the system.
    static Result<std::unique_ptr<Server>> listen_unix(const asio::any_io_executor& shard, Timers& timers,
                                                       const std::string& path, Handler handler,
                                                       ServerOptions options = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// Connections from now on begin with it; those that are open keep theirs.
    void use(std::shared_ptr<const net::TlsServer> tls);
    [[nodiscard]] std::uint16_t port() const noexcept;  // 0 for a Unix socket
    [[nodiscard]] std::size_t connections() const noexcept;
    /// Stops listening, removes the socket file, cancels every connection; what a handler is doing ends at its next
    /// wait.
    void close();
    /// Until all connections have ended, after close().
    awaitable<void> join();

private:
    struct State;
    explicit Server(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;
};

}  // namespace http
