#pragma once

#include <optional>
#include <string>

#include "engine/tokens/refresh_plan.hpp"
#include "engine/tokens/token.hpp"
#include "protocols/base/secret.hpp"

namespace tokens {

/// What is kept sealed of a credential's grant.
struct GrantRecord {
    Secret refresh_token;
    Secret previous;  // the refresh token before it: the fall-back until the new one has proved itself
    SharedSecret access_token;
    std::string seed;  // hash of the imported refresh token that it grew from: a new import starts over
    Lifetime life;     // of the access token
};

/// Fields with their lengths in front, format 1.
Secret encoded(const GrantRecord& grant);
/// nullopt: not a grant of this format.
std::optional<GrantRecord> decoded(const Secret& bytes);

/// SHA-256 in hexadecimal; empty for no token.
std::string seed_of(const Secret& refresh_token);

}  // namespace tokens
