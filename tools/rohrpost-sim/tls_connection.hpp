#pragma once

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>

#include "protocols/wait/parking.hpp"
#include "tools/rohrpost-sim/connection.hpp"

namespace sim {

using TlsSocket = asio::ssl::stream<asio::ip::tcp::socket>;

/// Over TLS on a socket; in the clear until handshake(), when it begins so.
class TlsConnection final : public Connection, public std::enable_shared_from_this<TlsConnection> {
public:
    TlsConnection(asio::ip::tcp::socket socket, asio::ssl::context& tls, bool clear = false)
        : stream_(std::move(socket), tls),
          end_(stream_.get_executor()),
          alarm_(stream_.get_executor()),
          clear_(clear) {}

    awaitable<bool> handshake() override;
    void flush() override;
    awaitable<bool> room() override;
    awaitable<bool> sent() override;
    void end() override;
    void cut() noexcept override;
    awaitable<void> pause(std::chrono::milliseconds span) override;
    void alarm_at(Monotonic when, std::function<void()> ring) override;

private:
    awaitable<bool> read_some() override;
    void shut_down();

    TlsSocket stream_;
    asio::steady_timer end_;
    asio::steady_timer alarm_;
    std::string writing_;
    Parking written_;
    bool ending_ = false;
    bool clear_;
    std::array<char, 2048> chunk_{};
};

}  // namespace sim
