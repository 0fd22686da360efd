#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "protocols/base/random.hpp"
#include "protocols/base/secret.hpp"

namespace oauth2 {

/// Random bytes, from whoever has a source of them.
using Entropy = std::array<std::byte, 32>;

/// 43 characters that may stand in a URL: a `state` (RFC 6749 §10.12) or a `nonce` (OpenID Connect Core §15.5.2).
std::string token_of(const Entropy& entropy);

/// The same of fresh bytes.
std::string fresh_token(Random& random);

/// The proof that whoever redeems a code is who asked for it. RFC 7636 §4.1.
Secret code_verifier_of(const Entropy& entropy);
/// S256. RFC 7636 §4.2.
std::string code_challenge_of(const Secret& code_verifier);

}  // namespace oauth2
