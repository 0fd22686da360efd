#pragma once

#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/sasl/errc.hpp"

namespace sasl {

/// The initial response of PLAIN without an authorisation identity, in base 64. RFC 4616.
/// Errors: bad_user, bad_secret.
Result<Secret> plain(std::string_view user, const Secret& password);

}  // namespace sasl
