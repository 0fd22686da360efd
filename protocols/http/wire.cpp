#include "protocols/http/wire.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/beast/http/error.hpp>

#include "protocols/base/ensure.hpp"
#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"

namespace http {

namespace {

bool frames(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 5> names{"content-length", "transfer-encoding", "connection",
                                                           "keep-alive", "host"};
    for (const auto framing : names) {
        if (text::same(name, framing)) return true;
    }
    return false;
}

void append(std::string& out, std::string_view name, std::string_view value) {
    ensure(value.find_first_of("\r\n") == std::string_view::npos, "a header value is one line");
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
}

template <class Fields>
Headers headers_of(const Fields& fields) {
    Headers headers;
    for (const auto& field : fields) headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    return headers;
}

}  // namespace

error_code fault_of(const boost::system::error_code& beast_failed) {
    if (beast_failed == beast_http::error::header_limit || beast_failed == beast_http::error::buffer_overflow) {
        return errc::header_too_long;
    }
    if (beast_failed == beast_http::error::body_limit) return errc::body_too_long;
    return errc::malformed;
}

std::string host_field(const Url& url) {
    const bool ipv6 = url.host.find(':') != std::string::npos;
    std::string host = ipv6 ? '[' + url.host + ']' : url.host;
    if (url.port != (url.secure ? 443 : 80)) host += ':' + std::to_string(url.port);
    return host;
}

std::string written(const Request& request, const std::string& host) {
    std::string out = fmt::format("{} {}{}{} HTTP/1.1\r\n", request.method, request.target,
                                  request.query.empty() ? "" : "?", request.query);
    append(out, "Host", host);
    append(out, "Connection", "close");
    for (const auto& [name, value] : request.headers) {
        if (!frames(name)) append(out, name, value);
    }
    if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
        append(out, "Content-Length", std::to_string(request.body.size()));
    }
    out += "\r\n";
    out += request.body;
    return out;
}

std::string written(const Response& response, After after, Body body) {
    const auto reason = beast_http::obsolete_reason(beast_http::int_to_status(response.status));
    std::string out =
        fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view(reason.data(), reason.size()));
    if (!response.content_type.empty()) append(out, "Content-Type", response.content_type);
    for (const auto& [name, value] : response.headers) {
        if (!frames(name)) append(out, name, value);
    }
    const bool bodiless = response.status == 204 || response.status == 304;
    if (!bodiless) append(out, "Content-Length", std::to_string(response.body.size()));
    append(out, "Connection", after == After::close ? "close" : "keep-alive");
    out += "\r\n";
    if (!bodiless && body == Body::send) out += response.body;
    return out;
}

Response taken(beast_http::response<beast_http::string_body> message) {
    Response response;
    response.status = message.result_int();
    response.content_type = std::string(message[beast_http::field::content_type]);
    response.headers = headers_of(message);
    response.body = std::move(message.body());
    return response;
}

Request taken(beast_http::request<beast_http::string_body> message) {
    Request request;
    request.method = std::string(message.method_string());
    const std::string_view target(message.target().data(), message.target().size());
    const auto question = std::min(target.find('?'), target.size());
    request.target = target.substr(0, question);
    request.query = target.substr(std::min(question + 1, target.size()));
    request.headers = headers_of(message);
    request.body = std::move(message.body());
    return request;
}

}  // namespace http
