#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/jose/algorithm.hpp"

struct evp_pkey_st;

namespace jose {

/// One public key of a provider. Values; any thread may read them.
struct Key {
    enum class Type { rsa, ec_p256 } type = Type::rsa;
    std::string id;      // `kid`; empty: none
    std::string use_of;  // `alg`: the one algorithm it is for; empty: any that fits its type
    std::string issuer;  // Entra: whose tokens it signs, with {tenantid} in it; empty: not said
    std::shared_ptr<evp_pkey_st> key;
    error_code flaw;  // why `key` is missing: weak_key, bad_key
};

using KeySet = std::vector<Key>;

inline constexpr std::size_t key_set_bytes_max = 256U << 10U;
inline constexpr std::size_t keys_max = 64;

/// The signature keys of a JWK set (RFC 7517 §5): RSA, and EC on P-256. Keys of other types and uses are left out; one
/// that is malformed or weak stays with its flaw, so that a token that names it is refused for that reason.
/// Errors: too_long (also: over keys_max), not_json, duplicate_member, bad_key (no list `keys`).
Result<KeySet> read_key_set(std::string_view text);

}  // namespace jose
