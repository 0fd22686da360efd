#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocols/base/secret.hpp"
#include "protocols/http/message.hpp"

/// What a token endpoint answers. RFC 6749 §5.
namespace oauth2 {

struct Tokens {
    Secret access_token;
    /// How long it is good for, from when it was asked for: the server's word, held to at least 0 and at most 30 days;
    /// one hour when it says nothing.
    std::chrono::seconds expires_in{};
    std::optional<Secret> refresh_token;  // replaces the one that was used
    std::string scope;
    std::string id_token;  // unverified
};

/// The endpoint said no, or not what a token endpoint says. `error` is what to decide on; the rest is for people.
struct Refusal {
    unsigned http_status = 0;
    std::string error;                      // empty: the body was no OAuth error
    std::string suberror;                   // Entra
    std::string error_description;          // printable; without JSON, the beginning of the body
    std::vector<std::int64_t> error_codes;  // Entra, AADSTS…
    std::optional<std::chrono::seconds> retry_after;
    std::string trace_id;
    std::string correlation_id;
    std::string timestamp;
};

using TokenAnswer = std::variant<Tokens, Refusal>;

/// What a token endpoint's answer may cost; the largest seen are below 20 KiB.
constexpr http::Limits answer_limits{.header_bytes_max = 32 * 1024, .body_bytes_max = 256 * 1024};

/// Never fails: what makes no sense is a refusal with the status and the beginning of the body. A 200 without a usable
/// bearer token, too. `now` is for a Retry-After that names a date.
TokenAnswer read_answer(const http::Response& response, WallTime now);

}  // namespace oauth2
