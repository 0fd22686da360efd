#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>
#include <string>

#include "protocols/net/stream.hpp"
#include "protocols/net/tls_session.hpp"
#include "protocols/net/unread.hpp"
#include "protocols/net/watchdog.hpp"

namespace net {

/// A TCP connection, plain or with TLS on top, or one over a socket of this machine. The socket is non-blocking;
/// readiness comes from the event loop, bytes from recv() and send() right here: one receive takes many TLS records.
/// Waiting holds no buffer. One coroutine of the shard reads and writes; close() may come from another one of the same
/// shard.
class SocketStream final : public Stream {
public:
    /// `connected` is a socket that has just been connected to `host`.
    SocketStream(asio::ip::tcp::socket connected, std::string host, std::uint16_t port, Timers& timers,
                 BufferPool& pool);
    /// `connected` is a socket that has just been connected to the one at `path`.
    SocketStream(asio::local::stream_protocol::socket connected, std::string path, Timers& timers, BufferPool& pool);
    ~SocketStream() override;

    std::string_view unread() const noexcept override { return unread_.view(); }
    void consume(std::size_t bytes) override { unread_.consume(bytes); }
    awaitable<Result<void>> read_more() override;
    awaitable<Result<void>> write(std::string_view bytes) override;
    void allow(Pace pace) override { watchdog_.allow(pace); }
    awaitable<Result<void>> start_tls(const TlsClient& tls, std::string host) override;
    /// The server's side of the same. What is unread at this point was sent before TLS: bytes_before_tls.
    awaitable<Result<void>> accept_tls(const TlsServer& tls);
    bool encrypted() const noexcept override { return tls_ && tls_->established(); }
    void close() noexcept override;
    std::string peer() const override { return peer_; }
    Traffic traffic() const noexcept override { return traffic_; }

    [[nodiscard]] const TlsSession* tls() const noexcept { return tls_.get(); }

private:
    /// Waits for the socket. Errors: stopped, and the watchdog's.
    awaitable<Result<void>> ready(asio::ip::tcp::socket::wait_type what);
    awaitable<Result<void>> flush();
    awaitable<Result<void>> shake_hands();

    enum class Received { some, nothing, would_block };
    Result<Received> receive();
    Result<Received> receive_plain();
    Result<Received> receive_tls();
    Result<std::size_t> receive_into(char* to, std::size_t bytes_max);
    /// One step of the handshake; `in` is what was received. What follows the handshake is decrypted at once.
    Result<TlsSession::Handshake> step(std::string_view in);

    Result<std::size_t> send_now(std::string_view bytes);
    Result<std::size_t> encrypt_and_send(std::string_view bytes);
    Result<void> send_or_keep(std::string_view ciphertext);

    using Socket = asio::generic::stream_protocol::socket;
    SocketStream(std::string peer, Socket connected, std::uint16_t port, Timers& timers, BufferPool& pool);

    Socket socket_;
    Watchdog watchdog_;
    BufferPool& pool_;
    Unread unread_;
    std::unique_ptr<TlsSession> tls_;
    std::string unsent_;  // ciphertext that the socket did not take yet
    std::string peer_;
    Traffic traffic_;
    std::size_t received_in_a_row_bytes_ = 0;
    std::uint16_t port_;
    bool closed_ = false;
    bool ended_ = false;  // FIN was seen
};

}  // namespace net
