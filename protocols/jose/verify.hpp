#pragma once

#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/jose/key_set.hpp"

namespace jose {

/// What a signature vouches for.
struct Verified {
    std::string payload;
    std::string type;        // `typ`; empty: not said
    std::string key_issuer;  // Key::issuer of the key that fitted
};

inline constexpr std::size_t compact_bytes_max = 64U << 10U;

/// Checks a JWS in compact form (RFC 7515 §5.2) against a provider's keys. The header's `kid` must be among them;
/// without one every key that fits the algorithm is tried. Keys in the token itself (jwk, jku, x5c, x5u) are never
/// looked at. Errors: too_long, not_compact, not_json, duplicate_member, algorithm_refused, critical_header,
/// unknown_key, algorithm_mismatch, weak_key, bad_key, bad_signature.
Result<Verified> verify(std::string_view compact, const KeySet& keys);

}  // namespace jose
