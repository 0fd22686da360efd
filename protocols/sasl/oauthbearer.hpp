#pragma once

#include <cstdint>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/sasl/errc.hpp"

namespace sasl {

/// The connection that an OAUTHBEARER response is for. An empty host: neither is sent.
struct Endpoint {
    std::string_view host;
    std::uint16_t port = 0;
};

/// The initial response of OAUTHBEARER in base 64. RFC 7628 §3.1. Errors: bad_user, bad_host, bad_secret.
Result<Secret> oauthbearer(std::string_view user, Endpoint endpoint, const Secret& access_token);

/// What answers the error challenge of OAUTHBEARER: 0x01 in base 64. RFC 7628 §3.2.3.
inline constexpr std::string_view oauthbearer_error_answer = "AQ==";

}  // namespace sasl
