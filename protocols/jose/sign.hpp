#pragma once

#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/jose/algorithm.hpp"
#include "protocols/jose/private_key.hpp"

namespace jose {

/// What the header of a signed token says. RFC 7515 §4.1. What is empty is left out.
struct SignHeader {
    Algorithm algorithm = Algorithm::ps256;  // rs256 or ps256
    std::string key_id;                      // kid
    std::string thumbprint;                  // x5t#S256
};

/// `claims` (JSON) signed in compact form, typ JWT. RFC 7515 §5.1. A secret: whoever has it is who it names.
/// Errors: bad_key (its parts do not fit each other).
Result<Secret> sign(const SignHeader& header, std::string_view claims, const PrivateKey& key);

}  // namespace jose
