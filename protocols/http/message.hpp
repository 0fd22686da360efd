#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"

namespace http {

/// In the order they came; names are compared without case.
using Headers = std::vector<std::pair<std::string, std::string>>;
/// The first of that name; nullptr when there is none.
const std::string* find(const Headers& headers, std::string_view name) noexcept;

struct Request {
    std::string method = "GET";
    std::string target = "/";  // path only, still percent-encoded
    std::string query;         // what followed '?', without it
    Headers headers;  // without those that frame the message (Host, Content-Length, Connection, …) when sending
    std::string body;
};

struct Response {
    unsigned status = 200;
    std::string content_type;
    std::string body;
    Headers headers;  // besides Content-Type and those that frame the message
};

/// What a peer may make us keep. Over: header_too_long, body_too_long.
struct Limits {
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t body_bytes_max = 1024 * 1024;
};

/// `http[s]://host[:port]/path[?query]`. Errors: url_malformed.
struct Url {
    bool secure = true;
    std::string host;  // without brackets
    std::uint16_t port = 0;
    std::string target = "/";
    std::string query;
};
Result<Url> read_url(std::string_view url);

/// The wait that Retry-After asks for: seconds or an HTTP date. RFC 9110 §10.2.3. nullopt: absent or malformed.
std::optional<std::chrono::seconds> retry_after(const Headers& headers, WallTime now);

}  // namespace http
