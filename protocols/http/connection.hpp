#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <optional>
#include <string>

#include "protocols/http/server.hpp"

namespace http {

/// One connection of a server. Ends when the peer does, when idle too long, or after close().
class Connection {
public:
    using Socket = asio::generic::stream_protocol::socket;

    Connection(Socket socket, Timers& timers, const Handler& handler, const Server::Options& options);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    awaitable<void> serve();
    /// Refuses whatever is asked: too many connections.
    awaitable<void> turn_away();
    /// Ends it at once when idle, otherwise after the answer being made.
    void close();

private:
    static void cut(void* connection);
    /// nullopt: the connection has ended.
    awaitable<std::optional<Request>> read_request();
    awaitable<bool> send(std::string bytes);
    /// Lets the peer read our last words: closing with unread bytes would reset the connection.
    awaitable<void> linger();
    void allow(std::chrono::milliseconds within) { timer_.arm(timers_.now() + within); }

    Socket socket_;
    Timers& timers_;
    const Handler& handler_;
    const Server::Options& options_;
    Timer timer_;  // cuts the connection
    std::string received_;
    bool keep_alive_ = true;
    bool idle_ = true;
    bool closing_ = false;
};

}  // namespace http
