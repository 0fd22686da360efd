#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/oauth2/response.hpp"

namespace oauth2 {

/// What the browser brings back from the sign-in page. RFC 6749 §4.1.2. Nothing in it is to be trusted before `state`
/// is found among the sign-ins that were begun here.
struct Callback {
    std::string state;
    std::string issuer;                  // `iss`; empty: not said. RFC 9207 §2
    std::variant<Secret, Refusal> code;  // or why there is none (http_status 0); its texts are cut at 4 KiB
};

inline constexpr std::size_t query_bytes_max = 16U << 10U;

/// Reads the query of the callback, without the question mark.
/// Errors: query_too_long, query_malformed, parameter_twice, parameter_too_long, state_missing, code_missing,
/// code_and_error.
Result<Callback> read_callback(std::string_view query);

/// Reads what a person pasted: the whole address that the browser shows in the end, of `redirect_uri`, blanks around
/// it. Errors: those of read_callback, other_redirect.
Result<Callback> read_pasted(std::string_view pasted, std::string_view redirect_uri);

/// Whether the callback comes from the provider that was asked: wrong_issuer when it says that it comes from another
/// one than `issuers` (which may have Entra's {tenantid} in them). RFC 9207 §2.4.
Result<void> check_issuer(const Callback& callback, std::span<const std::string> issuers);

}  // namespace oauth2
