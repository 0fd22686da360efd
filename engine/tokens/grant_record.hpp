#pragma once

#include <optional>
#include <string>

#include "engine/tokens/refresh_plan.hpp"
#include "engine/tokens/token.hpp"
#include "protocols/base/secret.hpp"

namespace tokens {

/// Whom a grant is of, as its sign-in proved.
struct GrantOwner {
    std::string tenant, object_id;  // oauth2::Binding; empty: nobody has signed in here, or the provider does not say
    std::string user;               // whom it was made for
};

/// What is kept sealed of a credential's grant.
struct GrantRecord {
    Secret refresh_token;
    Secret previous;  // the refresh token before it: the fall-back until the new one has proved itself
    SharedSecret access_token;
    std::string seed;  // hash of the imported refresh token that it grew from: a new import starts over
    Lifetime life;     // of the access token
    GrantOwner owner{};
    WallTime signed_in_at{};      // the epoch: imported
    WallTime refresh_token_at{};  // when the refresh token came; the epoch: not known
};

/// Fields with their lengths in front, format 2. Format 1, which ends with the life, is read, too.
Secret encoded(const GrantRecord& grant);
/// nullopt: not a grant of this format.
std::optional<GrantRecord> decoded(const Secret& bytes);

/// SHA-256 in hexadecimal; empty for no token.
std::string seed_of(const Secret& refresh_token);
/// Whether the grant goes on with this imported refresh token: it grew from it, or has come to it (an export taken in
/// again). If not, another one was imported since, and the grant starts over.
bool goes_on(const GrantRecord& grant, const Secret& imported);
/// When its refresh token was used last, at the latest; nullopt: there is none, or it was imported and never used.
std::optional<WallTime> refresh_token_used_at(const GrantRecord& grant);

}  // namespace tokens
