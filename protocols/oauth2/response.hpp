#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocols/base/secret.hpp"

namespace oauth2 {

/// A token was issued. RFC 6749 §5.1.
struct Grant {
    Secret access_token;  // visible ASCII
    /// As the provider says it (a number, or a number in a string), within ±366 days; nullopt: absent, or no number.
    std::optional<std::chrono::seconds> expires_in;
    std::optional<Secret> refresh_token;  // replaces the stored one; nullopt: the old one stays
    std::optional<Secret> id_token;
    std::string scope;
    std::string token_type;
};

/// No token. Decisions depend on `http_status`, `error`, `suberror` and `retry_after`; the rest is for people.
struct Refusal {
    int http_status = 0;
    std::string error;  // RFC 6749 §5.2; empty: the answer is not what a token endpoint says
    std::string suberror;
    std::string error_description;  // when `error` is empty: what came instead
    std::vector<std::int64_t> error_codes;
    std::optional<std::chrono::seconds> retry_after;
    std::string timestamp;
    std::string trace_id;
    std::string correlation_id;
};

/// The provider's words, printable and in one line, cut at 300 bytes. Entra's have line breaks before trace and time.
std::string said_in(const Refusal& refusal);

using Answer = std::variant<Grant, Refusal>;

inline constexpr std::size_t answer_bytes_max = 1U << 20U;

/// Whatever the token endpoint said, as an answer: a body that is no JSON, nested deeper than 16, longer than
/// answer_bytes_max or without a token is a refusal. Texts are cut at 4 KiB, error codes at 16.
Answer read_answer(int http_status, std::string_view body, std::optional<std::chrono::seconds> retry_after);

}  // namespace oauth2
