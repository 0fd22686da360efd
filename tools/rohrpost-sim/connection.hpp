#pragma once

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/wait/asio.hpp"
#include "protocols/wait/parking.hpp"

namespace sim {

using TlsSocket = asio::ssl::stream<asio::ip::tcp::socket>;

/// The server's end of a TLS connection: lines in, bytes out. Reading is one coroutine's; sending goes on beside it.
/// Small when idle. One thread; lives as long as an operation is under way.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(asio::ip::tcp::socket socket, asio::ssl::context& tls)
        : stream_(std::move(socket), tls), end_(executor()) {}

    awaitable<bool> handshake();
    /// Without its CRLF. What was sent before goes out first. nullopt: the connection or the client's manners ended.
    awaitable<std::optional<std::string>> read_line(std::size_t bytes_max);
    awaitable<std::optional<std::string>> read_bytes(std::size_t bytes);

    /// Gathers; goes out with flush(), room() or the next read.
    void send(std::string_view bytes) { out_ += bytes; }
    void flush();
    /// Waits until little is gathered. False: the connection is gone.
    awaitable<bool> room();
    /// Waits until all is with the operating system.
    awaitable<bool> sent();

    /// Ends in order, after what was sent.
    void end();
    /// Breaks off.
    void cut() noexcept;
    [[nodiscard]] bool over() const noexcept { return over_; }
    [[nodiscard]] asio::any_io_executor executor() { return stream_.get_executor(); }

private:
    awaitable<bool> read_some();
    void shut_down();

    TlsSocket stream_;
    asio::steady_timer end_;
    std::string in_;
    std::string out_;
    std::string writing_;
    Parking written_;
    bool ending_ = false;
    bool over_ = false;
    std::array<char, 2048> chunk_{};
};

}  // namespace sim
