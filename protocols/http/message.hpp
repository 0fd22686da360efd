#pragma once
/// HTTP messages as values. Bodies are whole: whoever reads one sets its limit.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/result.hpp"

namespace http {

/// "Not Found" for 404. RFC 9110 §15.
[[nodiscard]] std::string_view reason_of(unsigned status) noexcept;

/// In the order of the wire; names as received.
using Headers = std::vector<std::pair<std::string, std::string>>;
/// The value of the first header of that name (in any case); nullopt when there is none.
std::optional<std::string_view> header_of(const Headers& headers, std::string_view name) noexcept;

struct Request {
    std::string method = "GET";
    std::string host;                                       // the Host header: "name" or "name:port"
    std::string path = "/";                                 // percent-decoded
    std::string target;                                     // of a received request: path and query as sent
    std::map<std::string, std::string, std::less<>> query;  // decoded; of equal keys the first
    Headers headers;
    std::string body;
    std::string peer;  // of a received request: the address it came from, or "unix"

    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept {
        return header_of(headers, name);
    }
};

struct Response {
    int status = 200;
    std::string content_type;  // empty: none
    std::string body;
    Headers headers;  // further ones

    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept {
        return header_of(headers, name);
    }
    /// Retry-After in whole seconds; nullopt when absent or a date. RFC 9110 §10.2.3.
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept;
};

/// What a received message may take. Over: header_too_long, body_too_long.
struct Limits {
    std::size_t header_bytes_max = 64U << 10U;
    std::size_t body_bytes_max = 1U << 20U;
};

/// Path and query of a request line: "/v1/mailboxes?state=idle", or the same with scheme and host in front.
/// Errors: malformed (bad percent-encoding, NUL in it, not a path). RFC 9112 §3.2.
struct Target {
    std::string path;
    std::map<std::string, std::string, std::less<>> query;
};
Result<Target> read_target(std::string_view text);

enum class Persistence { keep_alive, close };

/// The head of a message for the wire, with Content-Length; the body follows as it is.
/// Errors: bad_argument (a line break or NUL in a header; Content-Length, Transfer-Encoding, Connection or Host among
/// the headers: those belong to the connection).
Result<std::string> head_of(const Request& request);
/// The same for a body of that length, which request.body is not.
Result<std::string> head_of(const Request& request, Persistence persistence, std::uint64_t body_bytes);
Result<std::string> head_of(const Response& response, Persistence persistence);

}  // namespace http
