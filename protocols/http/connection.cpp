#include "protocols/http/connection.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/http/wire.hpp"

namespace http {

namespace {

using RequestParser = beast_http::request_parser<beast_http::string_body>;
constexpr std::chrono::seconds linger_time(2);
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

Response refusal(unsigned status, std::string words) {
    Response response;
    response.status = status;
    response.content_type = "text/plain";
    response.body = std::move(words) + '\n';
    return response;
}

Response refusal_for(const error_code& fault) {
    if (fault == errc::body_too_long) return refusal(413, "the body is too long");
    if (fault == errc::header_too_long) return refusal(431, "the header is too long");
    return refusal(400, "malformed request");
}

awaitable<Response> handled(const Handler& handler, Request request) {
    try {
        auto response = co_await handler(std::move(request));
        co_return response;
    } catch (const boost::system::system_error& failed) {
        if (failed.code() == asio::error::operation_aborted) throw;  // cancelled
    } catch (const std::exception&) {
        // what went wrong is for the handler's own log
    }
    co_return refusal(500, "internal error");
}

}  // namespace

Connection::Connection(Socket socket, Timers& timers, const Handler& handler, const Server::Options& options)
    : socket_(std::move(socket)), timers_(timers), handler_(handler), options_(options), timer_(timers, cut, this) {}

void Connection::cut(void* connection) {
    boost::system::error_code ignored;
    static_cast<Connection*>(connection)->socket_.close(ignored);
}

void Connection::close() {
    closing_ = true;
    if (idle_) cut(this);
}

awaitable<void> Connection::serve() {
    while (keep_alive_ && !closing_) {
        auto request = co_await read_request();
        if (!request) break;
        const auto body = request->method == "HEAD" ? Body::leave_out : Body::send;
        timer_.disarm();  // the handler takes the time it needs
        const auto response = co_await handled(handler_, std::move(*request));
        const auto after = keep_alive_ && !closing_ ? After::keep_alive : After::close;
        const bool sent = co_await send(written(response, after, body));
        if (!sent) break;
    }
    timer_.disarm();
}

awaitable<void> Connection::turn_away() {
    keep_alive_ = false;
    const auto response = refusal(503, "too many connections");
    const bool sent = co_await send(written(response, After::close, Body::send));
    if (sent) co_await linger();
}

awaitable<bool> Connection::send(std::string bytes) {
    allow(options_.request);
    const auto buffer = asio::buffer(bytes);
    const auto [failed, sent] = co_await asio::async_write(socket_, buffer, as_tuple);
    co_return !failed;
}

awaitable<void> Connection::linger() {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    allow(linger_time);
    received_.resize(16 * 1024);
    for (;;) {
        const auto room = asio::buffer(received_);
        const auto [ended, bytes] = co_await socket_.async_read_some(room, as_tuple);
        if (ended) co_return;
    }
}

awaitable<std::optional<Request>> Connection::read_request() {
    RequestParser parser;
    parser.header_limit(static_cast<std::uint32_t>(options_.limits.header_bytes_max));
    parser.body_limit(options_.limits.body_bytes_max);
    parser.eager(true);
    idle_ = received_.empty();
    allow(idle_ ? options_.idle : options_.request);
    bool asked_to_continue = false;
    for (;;) {
        boost::system::error_code failed;
        while (!received_.empty() && !parser.is_done()) {
            const std::size_t used = parser.put(asio::buffer(received_), failed);
            received_.erase(0, used);
            if (failed || used == 0) break;
        }
        if (failed && failed != beast_http::error::need_more) {
            keep_alive_ = false;
            const auto response = refusal_for(fault_of(failed));
            const bool sent = co_await send(written(response, After::close, Body::send));
            if (sent) co_await linger();
            co_return std::nullopt;
        }
        if (parser.is_done()) break;
        if (parser.is_header_done() && !asked_to_continue &&
            text::same(std::string_view(parser.get()[beast_http::field::expect]), "100-continue")) {
            asked_to_continue = true;
            std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            const bool sent = co_await send(std::move(go_on));
            if (!sent) co_return std::nullopt;
        }
        const std::size_t kept = received_.size();
        received_.resize(kept + 16 * 1024);
        const auto room = asio::buffer(received_) + kept;
        const auto [ended, bytes] = co_await socket_.async_read_some(room, as_tuple);
        received_.resize(kept + bytes);
        if (ended) co_return std::nullopt;
        if (idle_) {
            idle_ = false;
            allow(options_.request);
        }
    }
    keep_alive_ = parser.keep_alive();
    co_return taken(parser.release());
}

}  // namespace http
