#pragma once

#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/sasl/errc.hpp"

namespace sasl {

/// The initial response of XOAUTH2 in base 64: "user=" user 0x01 "auth=Bearer " token 0x01 0x01.
/// Errors: bad_user, bad_secret.
Result<Secret> xoauth2(std::string_view user, const Secret& access_token);

/// What answers the error challenge of XOAUTH2 (Gmail 2026-11 waits for it): an empty line.
inline constexpr std::string_view xoauth2_error_answer;

}  // namespace sasl
