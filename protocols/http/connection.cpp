#include "protocols/http/connection.hpp"

#include <array>

#include "protocols/http/errc.hpp"
#include "protocols/net/tls_session.hpp"

namespace http {
namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece_bytes = 16U << 10U;
constexpr std::size_t lingering_bytes_max = 16U << 20U;
constexpr std::chrono::seconds lingering_max{2};

/// What a request that cannot be read is answered with; 0: nothing, the connection is gone.
int status_of(const error_code& unreadable) {
    if (unreadable == make_error_code(errc::header_too_long)) return 431;
    if (unreadable == make_error_code(errc::body_too_long)) return 413;
    return unreadable == make_error_code(errc::malformed) ? 400 : 0;
}

Response plain(int status) { return Response{.status = status, .content_type = {}, .body = {}, .headers = {}}; }

}  // namespace

Connection::Connection(Socket socket, std::string peer, Timers& timers, const Handler& handler,
                       const ServerOptions& options)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      timers_(timers),
      handler_(handler),
      options_(options),
      watchdog_(
          timers,
          [](void* owner) {
              error_code ignored;
              static_cast<Connection*>(owner)->socket_.close(ignored);
          },
          this) {
    if (options.tls) tls_ = std::make_unique<net::TlsSession>(*options.tls);
}

Connection::~Connection() = default;

void Connection::cancel() {
    watchdog_.disarm();
    cancel_.emit(asio::cancellation_type::terminal);
}

void Connection::allow(std::chrono::milliseconds span) { watchdog_.arm(timers_.now() + span); }

awaitable<void> Connection::run() {
    if (tls_) {
        const bool agreed = co_await shake_hands();
        if (!agreed) co_return;
    }
    for (;;) {
        RequestReader reader(options_.limits);
        auto request = co_await next_request(reader);
        if (!request) {
            const int status = status_of(request.error());
            if (status != 0) co_await turn_away(status);
            co_return;
        }
        const bool head_only = request->method == "HEAD";
        auto persistence = reader.persistence();
        watchdog_.disarm();
        auto response = co_await answered(std::move(*request));
        auto bytes = head_of(response, persistence);
        if (!bytes) {
            options_.report("an answer that cannot be sent: " + bytes.error().message());
            response = plain(500);
            bytes = head_of(response, persistence);
        }
        if (!head_only && response.status != 204 && response.status != 304) *bytes += response.body;
        const auto sent = co_await send(std::move(*bytes));
        if (!sent) co_return;
        if (persistence == Persistence::close) {
            co_await linger();
            co_return;
        }
    }
}

awaitable<Result<Request>> Connection::next_request(RequestReader& reader) {
    allow(options_.idle);
    bool begun = false;
    bool judged = false;
    bool continued = false;
    for (;;) {
        if (!begun && !input_.empty()) {
            begun = true;
            allow(options_.request_within);
        }
        const auto used = reader.take_in(input_);
        if (!used) co_return used.error();
        input_.erase(0, *used);
        if (!judged && reader.head_done()) {
            judged = true;
            const auto taken = judge_head(reader);
            if (!taken) co_return taken.error();
        }
        if (reader.finished()) break;
        if (!continued && reader.wants_continue()) {
            continued = true;
            const auto sent = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
            if (!sent) co_return sent.error();
            allow(options_.request_within);
        }
        const auto received = co_await receive();
        if (!received) co_return received.error();
    }
    auto request = reader.take();
    if (request) request->peer = peer_;
    co_return request;
}

awaitable<Response> Connection::answered(Request request) {
    try {
        auto response = co_await handler_(std::move(request));
        co_return response;
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        options_.report(error.what());
    } catch (const std::exception& error) {
        options_.report(error.what());
    }
    co_return plain(500);
}

Result<void> Connection::judge_head(RequestReader& reader) const {
    if (!options_.body_bytes_max_of) return {};
    auto head = reader.head();
    if (!head) return head.error();
    head->peer = peer_;
    return reader.limit_body(options_.body_bytes_max_of(*head));
}

/// The TLS handshake, in the time that a request has. Who does not speak TLS hears an alert at most.
awaitable<bool> Connection::shake_hands() {
    allow(options_.request_within);
    std::string piece(piece_bytes, '\0');
    std::string out(net::TlsSession::wire_bytes_max, '\0');
    std::size_t received = 0;
    for (;;) {
        net::Wire wire{.in = std::string_view(piece).substr(0, received), .out = out};
        const auto stepped = tls_->handshake(wire);
        if (stepped && *stepped == net::TlsSession::Handshake::done && !wire.in.empty()) {
            std::string plain(wire.in.size() + net::TlsSession::record_bytes_max, '\0');
            const auto came = tls_->decrypt(wire, plain);
            if (came) input_.append(plain, 0, *came);
        }
        const auto ciphertext = std::string_view(out).substr(0, wire.out_bytes);
        const auto sent = co_await send_as_it_is(ciphertext);
        if (!stepped || !sent) co_return false;
        if (*stepped == net::TlsSession::Handshake::done) co_return true;
        const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(piece), as_values);
        if (error) co_return false;
        received = bytes;
    }
}

awaitable<Result<void>> Connection::send(std::string bytes) {
    if (!tls_) {
        const auto sent = co_await send_as_it_is(bytes);
        co_return sent;
    }
    const auto sent = co_await send_encrypted(bytes);
    co_return sent;
}

awaitable<Result<void>> Connection::send_encrypted(std::string_view bytes) {
    std::string out(net::TlsSession::wire_bytes_max, '\0');
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, net::TlsSession::plain_bytes_max);
        net::Wire wire{.in = {}, .out = out};
        const auto encrypted = tls_->encrypt(wire, piece);
        if (!encrypted) co_return encrypted.error();
        const auto ciphertext = std::string_view(out).substr(0, wire.out_bytes);
        const auto sent = co_await send_as_it_is(ciphertext);
        if (!sent) co_return sent.error();
        bytes.remove_prefix(piece.size());
    }
    co_return Result<void>();
}

/// As long as the peer takes bytes, it has time for more.
awaitable<Result<void>> Connection::send_as_it_is(std::string_view bytes) {
    while (!bytes.empty()) {
        allow(options_.idle);
        const auto [error, sent] = co_await socket_.async_write_some(asio::buffer(bytes), as_values);
        if (error) co_return error;
        bytes.remove_prefix(sent);
    }
    co_return Result<void>();
}

/// Waits until there is more input.
awaitable<Result<void>> Connection::receive() {
    std::array<char, piece_bytes> piece;
    for (const auto before = input_.size(); input_.size() == before;) {
        const auto [error, received] = co_await socket_.async_read_some(asio::buffer(piece), as_values);
        if (error) co_return error;
        if (!tls_) {
            input_.append(piece.data(), received);
            continue;
        }
        const std::string_view ciphertext(piece.data(), received);
        const auto decrypted = co_await receive_encrypted(ciphertext);
        if (!decrypted) co_return decrypted.error();
    }
    co_return Result<void>();
}

awaitable<Result<void>> Connection::receive_encrypted(std::string_view bytes) {
    std::string plain(bytes.size() + net::TlsSession::record_bytes_max, '\0');
    std::array<char, 512> alert;
    net::Wire wire{.in = bytes, .out = alert};
    const auto came = tls_->decrypt(wire, plain);
    const std::string_view answer(alert.data(), wire.out_bytes);
    const auto sent = co_await send_as_it_is(answer);
    if (!came) co_return came.error();
    if (!sent) co_return sent.error();
    input_.append(plain, 0, *came);
    co_return Result<void>();
}

awaitable<void> Connection::turn_away(int status) {
    auto bytes = head_of(plain(status), Persistence::close);
    const auto sent = co_await send(std::move(*bytes));
    if (sent) co_await linger();
}

/// A close with bytes of the peer unread resets the connection, and the answer would be lost with it.
awaitable<void> Connection::linger() {
    error_code ignored;
    if (tls_) {
        std::array<char, 512> notice;
        net::Wire wire{.in = {}, .out = notice};
        tls_->close(wire);
        const std::string_view goodbye(notice.data(), wire.out_bytes);
        const auto sent = co_await send_as_it_is(goodbye);
        if (!sent) co_return;
    }
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    allow(lingering_max);
    for (std::size_t drained = 0; drained < lingering_bytes_max;) {
        input_.clear();
        const auto received = co_await receive();
        if (!received) co_return;
        drained += input_.size();
    }
}

}  // namespace http
