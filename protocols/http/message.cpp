#include "protocols/http/message.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <boost/url.hpp>

#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"

namespace http {
namespace {

namespace urls = boost::urls;

constexpr urls::grammar::lut_chars path_chars = urls::pchars + '/';
constexpr urls::grammar::lut_chars query_chars = urls::unreserved_chars;

bool breaks_lines(std::string_view text) noexcept {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

/// Method and header names. RFC 9110 §5.6.2.
bool is_token(std::string_view text) noexcept {
    static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        const char low = text::lower(c);
        return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
    });
}

bool belongs_to_connection(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 4> names{"Content-Length", "Transfer-Encoding", "Connection", "Host"};
    return std::any_of(names.begin(), names.end(), [name](std::string_view one) { return text::same(one, name); });
}

Result<void> append(std::string& out, const Headers& headers) {
    for (const auto& [name, value] : headers) {
        if (!is_token(name) || breaks_lines(value) || belongs_to_connection(name)) return errc::bad_argument;
        out.append(name).append(": ").append(value).append("\r\n");
    }
    return Result<void>();
}

std::string target_of(const Request& request) {
    std::string out = urls::encode(request.path, path_chars);
    char between = '?';
    for (const auto& [key, value] : request.query) {
        out += between;
        out.append(urls::encode(key, query_chars)).append("=").append(urls::encode(value, query_chars));
        between = '&';
    }
    return out;
}

}  // namespace

std::string_view reason_of(unsigned status) noexcept {
    return boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
}

std::optional<std::string_view> header_of(const Headers& headers, std::string_view name) noexcept {
    const auto found = std::find_if(headers.begin(), headers.end(),
                                    [name](const auto& header) { return text::same(header.first, name); });
    if (found == headers.end()) return std::nullopt;
    return found->second;
}

std::optional<std::chrono::seconds> Response::retry_after() const noexcept {
    const auto value = header("Retry-After");
    if (!value) return std::nullopt;
    const auto seconds = text::number<std::uint32_t>(text::trimmed(*value));
    if (!seconds) return std::nullopt;
    return std::chrono::seconds(*seconds);
}

Result<Target> read_target(std::string_view text) {
    const auto url = !text.empty() && text.front() == '/' ? urls::parse_origin_form(text) : urls::parse_uri(text);
    if (!url || url->has_fragment()) return errc::malformed;
    Target target;
    target.path = url->path();
    if (target.path.empty()) target.path = "/";
    if (target.path.front() != '/' || target.path.find('\0') != std::string::npos) return errc::malformed;
    urls::encoding_opts plus_is_blank;
    plus_is_blank.space_as_plus = true;
    for (const auto& param : url->params(plus_is_blank)) target.query.try_emplace(param.key, param.value);
    return target;
}

Result<std::string> head_of(const Request& request) {
    return head_of(request, Persistence::close, request.body.size());
}

Result<std::string> head_of(const Request& request, Persistence persistence, std::uint64_t body_bytes) {
    if (!is_token(request.method) || breaks_lines(request.host) || !request.path.starts_with('/')) {
        return errc::bad_argument;
    }
    std::string out = request.method + ' ' + target_of(request) + " HTTP/1.1\r\n";
    out.append("Host: ").append(request.host).append("\r\n");
    if (persistence == Persistence::close) out.append("Connection: close\r\n");
    if (body_bytes > 0 || request.method != "GET") {
        out.append("Content-Length: ").append(std::to_string(body_bytes)).append("\r\n");
    }
    const auto appended = append(out, request.headers);
    if (!appended) return appended.error();
    return out.append("\r\n");
}

Result<std::string> head_of(const Response& response, Persistence persistence) {
    if (response.status < 200 || response.status > 999 || breaks_lines(response.content_type)) {
        return errc::bad_argument;
    }
    const std::string_view reason = reason_of(static_cast<unsigned>(response.status));
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    out.append(reason).append("\r\n");
    if (response.status != 204 && response.status != 304) {
        out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    }
    if (!response.content_type.empty()) out.append("Content-Type: ").append(response.content_type).append("\r\n");
    if (persistence == Persistence::close) out.append("Connection: close\r\n");
    const auto appended = append(out, response.headers);
    if (!appended) return appended.error();
    return out.append("\r\n");
}

}  // namespace http
