#include "tools/rohrpost-sim/connection.hpp"

#include <boost/asio/write.hpp>

namespace sim {

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t gathered_bytes_max = 256 * 1024;

}  // namespace

awaitable<bool> Connection::handshake() {
    boost::system::error_code ignored;
    stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_values);
    if (error) cut();
    co_return !error;
}

awaitable<bool> Connection::read_some() {
    flush();
    const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(chunk_), as_values);
    in_.append(chunk_.data(), bytes);
    if (error) cut();
    co_return !over_;
}

awaitable<std::optional<std::string>> Connection::read_line(std::size_t bytes_max) {
    std::size_t end = in_.find('\n');
    while (end == std::string::npos) {
        if (over_ || in_.size() > bytes_max) co_return std::nullopt;
        const std::size_t searched = in_.size();
        const bool more = co_await read_some();
        if (!more) co_return std::nullopt;
        end = in_.find('\n', searched);
    }
    std::string line = in_.substr(0, end);
    in_.erase(0, end + 1);
    if (in_.empty()) in_.shrink_to_fit();
    if (line.ends_with('\r')) line.pop_back();
    co_return line;
}

awaitable<std::optional<std::string>> Connection::read_bytes(std::size_t bytes) {
    while (in_.size() < bytes) {
        if (over_) co_return std::nullopt;
        const bool more = co_await read_some();
        if (!more) co_return std::nullopt;
    }
    std::string taken = in_.substr(0, bytes);
    in_.erase(0, bytes);
    co_return taken;
}

void Connection::flush() {
    if (!writing_.empty() || over_) return;
    if (out_.empty()) {
        if (ending_) shut_down();
        return;
    }
    writing_.swap(out_);
    asio::async_write(stream_, asio::buffer(writing_),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          self->writing_ = std::string();
                          if (error) self->cut();
                          self->flush();
                          self->written_.wake();
                      });
}

awaitable<bool> Connection::room() {
    flush();
    while (out_.size() > gathered_bytes_max && !over_) co_await written_.wait();
    co_return !over_;
}

awaitable<bool> Connection::sent() {
    flush();
    while ((!out_.empty() || !writing_.empty()) && !over_) co_await written_.wait();
    co_return !over_;
}

void Connection::end() {
    if (ending_) return;
    ending_ = true;
    flush();
}

void Connection::shut_down() {
    ending_ = false;
    stream_.async_shutdown([self = shared_from_this()](boost::system::error_code) { self->cut(); });
    end_.expires_after(std::chrono::seconds(1));
    end_.async_wait([self = shared_from_this()](boost::system::error_code) { self->cut(); });
}

void Connection::cut() noexcept {
    if (over_) return;
    over_ = true;
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
    end_.cancel();
    written_.wake();
}

}  // namespace sim
