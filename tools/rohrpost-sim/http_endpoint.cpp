#include "tools/rohrpost-sim/http_endpoint.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "protocols/base/text.hpp"

namespace sim {

namespace http = boost::beast::http;

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t request_bytes_max = 64 * 1024 * 1024;

std::optional<char> read_hex(std::string_view digits) {
    int value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || read.ptr != digits.data() + 2) return std::nullopt;
    return static_cast<char>(value);
}

std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = text[at] == '%' ? read_hex(text.substr(at + 1, 2)) : std::nullopt;
        if (byte) at += 2;
        plain += byte ? *byte : text[at] == '+' ? ' ' : text[at];
    }
    return plain;
}

HttpRequest request_from(const http::request<http::string_body>& message) {
    constexpr std::string_view bearer = "Bearer ";
    HttpRequest request;
    const std::string_view target = message.target();
    const std::size_t question = target.find('?');
    request.method = std::string(message.method_string());
    request.path = std::string(target.substr(0, question));
    if (question != std::string_view::npos) request.fields = read_form(target.substr(question + 1));
    const std::string_view type = message[http::field::content_type];
    if (text::starts_with_same(type, "application/x-www-form-urlencoded"))
        request.fields.merge(read_form(message.body()));
    const std::string_view authorization = message[http::field::authorization];
    if (authorization.starts_with(bearer)) request.bearer = std::string(authorization.substr(bearer.size()));
    constexpr std::string_view basic = "Basic ";
    if (authorization.starts_with(basic)) request.basic = std::string(authorization.substr(basic.size()));
    for (const std::string_view cookie : text::split(message[http::field::cookie], ';')) {
        const std::size_t equals = cookie.find('=');
        if (equals == std::string_view::npos) continue;
        request.cookies[std::string(text::trimmed(cookie.substr(0, equals)))] =
            text::trimmed(cookie.substr(equals + 1));
    }
    request.body = message.body();
    return request;
}

http::response<http::string_body> response_from(HttpReply reply, bool keep_alive) {
    http::response<http::string_body> message(http::int_to_status(reply.status), 11);
    message.set(http::field::content_type, reply.type);
    message.set(http::field::cache_control, "no-store");
    if (reply.retry_after.count() > 0) message.set(http::field::retry_after, std::to_string(reply.retry_after.count()));
    for (const auto& [name, value] : reply.headers) message.insert(name, value);
    message.keep_alive(keep_alive);
    message.body() = std::move(reply.body);
    message.prepare_payload();
    return message;
}

template <class Stream>
awaitable<void> converse(Stream& stream, World& world) {
    boost::beast::flat_buffer buffer;
    for (;;) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(request_bytes_max);
        const auto [unreadable, received] = co_await http::async_read(stream, buffer, parser, as_values);
        if (unreadable) co_return;
        const HttpRequest request = request_from(parser.get());
        HttpReply reply = answer(world, request);
        if (reply.dropped) co_return;
        if (reply.after.count() > 0) {
            asio::steady_timer later(stream.get_executor());
            later.expires_after(reply.after);
            const auto waited = co_await later.async_wait(as_values);
            static_cast<void>(waited);
        }
        const auto message = response_from(std::move(reply), parser.get().keep_alive());
        const auto [unsent, sent] = co_await http::async_write(stream, message, as_values);
        if (unsent || !message.keep_alive()) co_return;
    }
}

}  // namespace

std::map<std::string, std::string> read_form(std::string_view form) {
    std::map<std::string, std::string> fields;
    for (const std::string_view pair : text::split(form, '&')) {
        const std::size_t equals = pair.find('=');
        const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
        if (!pair.empty()) fields[unescaped(pair.substr(0, equals))] = unescaped(value);
    }
    return fields;
}

std::string HttpRequest::field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
}

std::string HttpReply::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (text::same(key, name)) return value;
    return {};
}

HttpReply answer(World& world, const HttpRequest& request) {
    const std::string_view path = request.path;
    if (path.starts_with("/control/")) return answer_control(world, request);
    if (path == "/introspect") return answer_introspection(world, request);
    if (path.ends_with("/token")) return answer_token(world, request);
    if (path.ends_with("/authorize") || path == "/o/oauth2/v2/auth") return answer_authorize(world, request);
    if (path.ends_with("/devicecode") || path == "/device/code") return answer_device_code(world, request);
    if (path == "/device") return answer_device_page(world, request);
    if (path.ends_with("/.well-known/openid-configuration")) return answer_discovery(world, request);
    if (path.ends_with("/keys") || path == "/oauth2/v3/certs") return answer_keys(world, request);
    return {.status = 404, .body = R"({"error":"not_found"})"};
}

awaitable<void> serve_http(std::shared_ptr<asio::ip::tcp::socket> socket, World& world) {
    co_await converse(*socket, world);
}

awaitable<void> serve_https(std::shared_ptr<asio::ssl::stream<asio::ip::tcp::socket>> stream, World& world) {
    const auto [error] = co_await stream->async_handshake(asio::ssl::stream_base::server, as_values);
    if (error) co_return;
    co_await converse(*stream, world);
}

}  // namespace sim
