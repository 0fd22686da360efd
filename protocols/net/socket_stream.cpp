#include "protocols/net/socket_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "protocols/base/ensure.hpp"
#include "protocols/net/errc.hpp"

namespace net {

namespace {

constexpr std::size_t receive_bytes_max = 64 * 1024;
constexpr std::size_t receive_bytes_min = 16 * 1024;
/// A peer that is faster than we are must not keep the shard for itself.
constexpr std::size_t in_a_row_bytes_max = 1024 * 1024;

error_code fault_of(int error) {
    switch (error) {
        case ECONNRESET:
        case EPIPE:
        case ECONNABORTED:
            return errc::reset;
        case ETIMEDOUT:
            return errc::timed_out;
        case ENETUNREACH:
        case EHOSTUNREACH:
        case ENETDOWN:
            return errc::unreachable;
        default:
            return {error, boost::system::system_category()};
    }
}

bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

std::string words_for(const asio::ip::tcp::socket& socket, std::string host, std::uint16_t port) {
    boost::system::error_code unknown;
    const auto remote = socket.remote_endpoint(unknown);
    host += ':' + std::to_string(port);
    return unknown ? host : host + " (" + remote.address().to_string() + ')';
}

}  // namespace

SocketStream::SocketStream(asio::ip::tcp::socket connected, std::string host, std::uint16_t port, Timers& timers,
                           BufferPool& pool)
    : SocketStream{words_for(connected, std::move(host), port), std::move(connected), port, timers, pool} {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

SocketStream::SocketStream(asio::local::stream_protocol::socket connected, std::string path, Timers& timers,
                           BufferPool& pool)
    : SocketStream(std::move(path), std::move(connected), 0, timers, pool) {}

SocketStream::SocketStream(std::string peer, Socket connected, std::uint16_t port, Timers& timers, BufferPool& pool)
    : socket_(std::move(connected)),
      watchdog_(
          timers,
          [](void* stream) {
              boost::system::error_code ignored;
              static_cast<SocketStream*>(stream)->socket_.cancel(ignored);
          },
          this),
      pool_(pool),
      unread_(pool),
      peer_(std::move(peer)),
      port_(port) {
    boost::system::error_code ignored;
    socket_.native_non_blocking(true, ignored);
}

SocketStream::~SocketStream() { close(); }

awaitable<Result<void>> SocketStream::read_more() {
    ensure(!tls_ || tls_->established(), "what is read comes after the handshake");
    for (;;) {
        if (closed_) co_return errc::stopped;
        const auto received = receive();
        if (!received) co_return received.error();
        if (*received == Received::some && received_in_a_row_bytes_ <= in_a_row_bytes_max) co_return Result<void>();
        if (*received == Received::would_block) {
            unread_.settle();
            received_in_a_row_bytes_ = 0;
            const auto waited = co_await ready(asio::ip::tcp::socket::wait_read);
            if (!waited) co_return waited.error();
        } else if (received_in_a_row_bytes_ > in_a_row_bytes_max) {
            received_in_a_row_bytes_ = 0;
            co_await asio::post(socket_.get_executor(), asio::use_awaitable);
            if (*received == Received::some) co_return Result<void>();
        }
    }
}

awaitable<Result<void>> SocketStream::write(std::string_view bytes) {
    ensure(!tls_ || tls_->established(), "what is written comes after the handshake");
    for (;;) {
        const auto flushed = co_await flush();
        if (!flushed) co_return flushed.error();
        if (bytes.empty()) co_return Result<void>();
        const auto taken = tls_ ? encrypt_and_send(bytes) : send_now(bytes);
        if (!taken) co_return taken.error();
        bytes.remove_prefix(*taken);
        traffic_.sent_bytes += *taken;
        if (*taken == 0) {
            const auto waited = co_await ready(asio::ip::tcp::socket::wait_write);
            if (!waited) co_return waited.error();
        }
    }
}

awaitable<Result<void>> SocketStream::start_tls(const TlsClient& tls, std::string host) {
    ensure(!tls_, "TLS starts once");
    if (closed_) co_return errc::stopped;
    char early = 0;
    const bool waiting = ::recv(socket_.native_handle(), &early, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    if (waiting || !unread_.empty()) co_return errc::bytes_before_tls;  // an honest server waits for our hello
    tls_ = std::make_unique<TlsSession>(tls, std::move(host), port_);
    const auto done = co_await shake_hands();
    if (!done) co_return done.error();
    ++tls.impl().handshakes;
    if (tls_->resumed()) ++tls.impl().resumed;
    co_return Result<void>();
}

awaitable<Result<void>> SocketStream::accept_tls(const TlsServer& tls) {
    ensure(!tls_, "TLS starts once");
    if (closed_) co_return errc::stopped;
    if (!unread_.empty()) co_return errc::bytes_before_tls;
    tls_ = std::make_unique<TlsSession>(tls);
    const auto done = co_await shake_hands();
    co_return done;
}

awaitable<Result<void>> SocketStream::shake_hands() {
    auto stepped = step({});
    for (;;) {
        const auto flushed = co_await flush();
        if (!stepped) co_return stepped.error();
        if (!flushed) co_return flushed.error();
        if (*stepped == TlsSession::Handshake::done) break;
        const auto waited = co_await ready(asio::ip::tcp::socket::wait_read);
        if (!waited) co_return waited.error();
        Scratch scratch(pool_);
        const auto received = receive_into(scratch.data(), receive_bytes_min);
        if (!received) co_return received.error();
        if (*received > 0) stepped = step({scratch.data(), *received});
    }
    co_return Result<void>();
}

awaitable<Result<void>> SocketStream::ready(asio::ip::tcp::socket::wait_type what) {
    if (closed_) co_return errc::stopped;
    if (watchdog_.over()) co_return watchdog_.verdict();
    watchdog_.watch();
    const auto [failed] = co_await socket_.async_wait(what, asio::as_tuple(asio::use_awaitable));
    if (closed_) co_return errc::stopped;
    if (!failed) co_return Result<void>();
    if (failed != asio::error::operation_aborted) co_return failed;
    if (watchdog_.over()) co_return watchdog_.verdict();
    throw boost::system::system_error(failed);  // the coroutine was cancelled
}

awaitable<Result<void>> SocketStream::flush() {
    while (!unsent_.empty()) {
        const auto sent = send_now(unsent_);
        if (!sent) co_return sent.error();
        unsent_.erase(0, *sent);
        if (unsent_.empty()) {
            unsent_.shrink_to_fit();
        } else {
            const auto waited = co_await ready(asio::ip::tcp::socket::wait_write);
            if (!waited) co_return waited.error();
        }
    }
    if (closed_) co_return errc::stopped;
    co_return Result<void>();
}

void SocketStream::close() noexcept {
    if (closed_) return;
    closed_ = true;
    watchdog_.rest();
    if (tls_ && unsent_.empty()) {  // after half a record, nothing can follow
        std::array<char, 512> room;
        Wire wire{.in = {}, .out = room};
        tls_->close(wire);
        ::send(socket_.native_handle(), room.data(), wire.out_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
}

Result<SocketStream::Received> SocketStream::receive() {
    if (tls_ && tls_->fault()) return tls_->fault();
    if (ended_) return tls_ ? errc::truncated : errc::closed;
    return tls_ ? receive_tls() : receive_plain();
}

/// 0: would block. The end of the stream is an error: closed (plain) or truncated (TLS).
Result<std::size_t> SocketStream::receive_into(char* to, std::size_t bytes_max) {
    const ssize_t got = ::recv(socket_.native_handle(), to, bytes_max, 0);
    if (got > 0) {
        received_in_a_row_bytes_ += static_cast<std::size_t>(got);
        return static_cast<std::size_t>(got);
    }
    if (got < 0 && would_block(errno)) return std::size_t{0};
    if (got < 0) return fault_of(errno);
    ended_ = true;
    return tls_ ? errc::truncated : errc::closed;
}

Result<SocketStream::Received> SocketStream::receive_plain() {
    const auto room = unread_.room(receive_bytes_min);
    const auto received = receive_into(room.data(), std::min(room.size(), receive_bytes_max));
    if (!received) return received.error();
    if (*received == 0) return Received::would_block;
    unread_.filled(*received);
    watchdog_.moved(*received);
    traffic_.received_bytes += *received;
    return Received::some;
}

Result<SocketStream::Received> SocketStream::receive_tls() {
    Scratch scratch(pool_);
    const auto room = unread_.room(receive_bytes_min + TlsSession::record_bytes_max);
    const auto received =
        receive_into(scratch.data(), std::min(room.size() - TlsSession::record_bytes_max, receive_bytes_max));
    if (!received) return received.error();
    if (*received == 0) return Received::would_block;
    std::array<char, 512> alert;
    Wire wire{.in = {scratch.data(), *received}, .out = alert};
    const auto plain = tls_->decrypt(wire, room);
    const auto sent = send_or_keep({alert.data(), wire.out_bytes});
    if (!plain) return plain.error();
    if (!sent && *plain == 0) return sent.error();
    unread_.filled(*plain);
    watchdog_.moved(*plain);
    traffic_.received_bytes += *plain;
    return *plain > 0 ? Received::some : Received::nothing;
}

Result<TlsSession::Handshake> SocketStream::step(std::string_view in) {
    Scratch scratch(pool_);
    Wire wire{.in = in, .out = {scratch.data(), scratch.size()}};
    const auto done = tls_->handshake(wire);
    if (done && *done == TlsSession::Handshake::done && !wire.in.empty()) {
        const auto plain = tls_->decrypt(wire, unread_.room(wire.in.size() + TlsSession::record_bytes_max));
        if (plain) {
            unread_.filled(*plain);
            traffic_.received_bytes += *plain;
        }
        unread_.settle();
    }
    const auto sent = send_or_keep({scratch.data(), wire.out_bytes});
    if (done && !sent) return sent.error();
    return done;
}

/// How many bytes the socket took; 0 when it has no room.
Result<std::size_t> SocketStream::send_now(std::string_view bytes) {
    if (closed_) return errc::stopped;
    const ssize_t sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && would_block(errno)) return std::size_t{0};
    if (sent < 0) return fault_of(errno);
    watchdog_.moved(static_cast<std::size_t>(sent));
    return static_cast<std::size_t>(sent);
}

Result<std::size_t> SocketStream::encrypt_and_send(std::string_view bytes) {
    Scratch scratch(pool_);
    const std::string_view taken = bytes.substr(0, TlsSession::plain_bytes_max);
    Wire wire{.in = {}, .out = {scratch.data(), scratch.size()}};
    const auto encrypted = tls_->encrypt(wire, taken);
    if (!encrypted) return encrypted.error();
    const auto sent = send_or_keep({scratch.data(), wire.out_bytes});
    if (!sent) return sent.error();
    return taken.size();
}

Result<void> SocketStream::send_or_keep(std::string_view ciphertext) {
    if (ciphertext.empty()) return {};
    if (unsent_.empty()) {
        const auto sent = send_now(ciphertext);
        if (!sent) return sent.error();
        ciphertext.remove_prefix(*sent);
    }
    unsent_.append(ciphertext);
    return {};
}

}  // namespace net
