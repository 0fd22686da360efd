#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/jose/key_set.hpp"

namespace oauth2 {

/// What a checked id_token says about the person. OpenID Connect Core §2, §5.1; Entra's claims of version 2. Texts are
/// at most 1 KiB of UTF-8 without control characters; empty: not said.
struct IdToken {
    std::string issuer;
    std::string subject;
    std::string tenant;     // `tid`, a GUID in lower case
    std::string object_id;  // `oid`, the same
    std::string preferred_username, upn, unique_name, email;
    std::optional<bool> email_verified;                                          // nullopt: not said
    std::string hosted_domain;                                                   // Google's `hd`
    std::string identity_provider;                                               // Entra's `idp`: who signed a guest in
    enum class Account { unstated, member, guest } account = Account::unstated;  // Entra's `acct`
    WallTime issued_at{};
    WallTime expires_at{};
};

/// What an id_token must be for.
struct IdTokenDemand {
    std::string client_id;
    std::vector<std::string> issuers;  // any of them; Entra's may have {tenantid} in them
    /// The nonce that was sent; empty: none was (device flow), and then a token that has one is refused.
    std::string nonce;
    /// A refresh brings tokens of an identity that was checked before: a nonce in them is not looked at.
    enum class Occasion { sign_in, refresh } occasion = Occasion::sign_in;
};

inline constexpr std::chrono::seconds clock_skew_max = std::chrono::minutes(5);

/// Checks an id_token and reads it. OpenID Connect Core §3.1.3.7, §12.2.
/// Errors: those of jose::verify; errc::wrong_token_type, claims_malformed, wrong_issuer, wrong_key_issuer,
/// wrong_audience, expired, not_yet_valid, wrong_nonce; jose::errc::not_json, duplicate_member for the claims.
Result<IdToken> read_id_token(std::string_view token, const jose::KeySet& keys, const IdTokenDemand& demand,
                              WallTime now);

}  // namespace oauth2
