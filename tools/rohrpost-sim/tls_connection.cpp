#include "tools/rohrpost-sim/tls_connection.hpp"

#include <boost/asio/write.hpp>

namespace sim {

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

}  // namespace

awaitable<bool> TlsConnection::handshake() {
    boost::system::error_code ignored;
    stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
    clear_ = false;
    in_.clear();  // what came in the clear counts for nothing
    const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_values);
    if (error) cut();
    co_return !error;
}

awaitable<bool> TlsConnection::read_some() {
    flush();
    boost::system::error_code error;
    std::size_t bytes = 0;
    if (clear_)
        std::tie(error, bytes) = co_await stream_.next_layer().async_read_some(asio::buffer(chunk_), as_values);
    else
        std::tie(error, bytes) = co_await stream_.async_read_some(asio::buffer(chunk_), as_values);
    in_.append(chunk_.data(), bytes);
    if (error) cut();
    co_return !over_;
}

void TlsConnection::flush() {
    if (!writing_.empty() || over_) return;
    if (out_.empty()) {
        if (ending_) shut_down();
        return;
    }
    writing_.swap(out_);
    auto written = [self = shared_from_this()](boost::system::error_code error, std::size_t) {
        self->writing_ = std::string();
        if (error) self->cut();
        self->flush();
        self->written_.wake();
    };
    if (clear_)
        asio::async_write(stream_.next_layer(), asio::buffer(writing_), std::move(written));
    else
        asio::async_write(stream_, asio::buffer(writing_), std::move(written));
}

awaitable<bool> TlsConnection::room() {
    flush();
    while (out_.size() > gathered_bytes_max && !over_) co_await written_.wait();
    co_return !over_;
}

awaitable<bool> TlsConnection::sent() {
    flush();
    while ((!out_.empty() || !writing_.empty()) && !over_) co_await written_.wait();
    co_return !over_;
}

void TlsConnection::end() {
    if (ending_) return;
    ending_ = true;
    flush();
}

void TlsConnection::shut_down() {
    ending_ = false;
    if (clear_) return cut();
    stream_.async_shutdown([self = shared_from_this()](boost::system::error_code) { self->cut(); });
    end_.expires_after(std::chrono::seconds(1));
    end_.async_wait([self = shared_from_this()](boost::system::error_code) { self->cut(); });
}

void TlsConnection::cut() noexcept {
    if (over_) return;
    over_ = true;
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
    end_.cancel();
    written_.wake();
}

awaitable<void> TlsConnection::pause(std::chrono::milliseconds span) {
    asio::steady_timer over(stream_.get_executor());
    over.expires_after(span);
    const auto waited = co_await over.async_wait(as_values);
    static_cast<void>(waited);
}

void TlsConnection::alarm_at(Monotonic when, std::function<void()> ring) {
    alarm_.cancel();
    if (!ring) return;
    alarm_.expires_at(when);
    alarm_.async_wait([ring = std::move(ring)](boost::system::error_code moved) {
        if (!moved) ring();
    });
}

}  // namespace sim
