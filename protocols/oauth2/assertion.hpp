#pragma once
/// Signed assertions: who a client is (Entra, with a certificate), or on whose behalf it asks (Google).

#include <chrono>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/jose/private_key.hpp"

namespace oauth2 {

/// The claims of an assertion, as handed in; what is empty, or before 1970, is left out. RFC 7523 §3.
struct AssertionClaims {
    std::string issuer;
    std::string subject;
    std::string audience;
    std::string id;     // jti: fresh each time
    std::string scope;  // Google
    WallTime issued_at{};
    WallTime not_before{};
    WallTime expires_at{};
};

/// The claims for Entra: issuer and subject are the client, the audience is the token endpoint, valid for ten minutes
/// from a minute ago (clocks differ). `id` is fresh each time, like token_of(entropy).
AssertionClaims client_claims(std::string client_id, std::string token_url, std::string id, WallTime now);

/// A client's proof with its certificate: PS256, named by x5t#S256. RFC 7523 §2.2, Entra 2025.
/// Errors: jose::errc::certificate_mismatch, jose::errc::bad_key.
Result<Secret> client_assertion(const AssertionClaims& claims, const jose::Certificate& certificate,
                                const jose::PrivateKey& key);

/// The key file of a Google service account.
struct ServiceAccount {
    std::string client_email;
    std::string client_id;  // the number that domain-wide delegation is given to; may be empty
    std::string private_key_id;
    std::string token_uri;
    jose::PrivateKey private_key;
};

inline constexpr std::size_t key_file_bytes_max = 64U << 10U;

/// Reads a key file (JSON). Errors: errc::key_file_malformed, key_file_other_kind, key_file_token_uri; jose::errc
/// too_long, not_json, duplicate_member and what read_private_key has.
Result<ServiceAccount> read_service_account(const Secret& text);

/// An assertion that asks for `scope` on behalf of `user` (empty: of the service account itself): RS256, valid for an
/// hour from now. Its audience is the token endpoint it goes to. RFC 7523 §2.1. Errors: jose::errc::bad_key.
Result<Secret> service_account_assertion(const ServiceAccount& account, std::string user, std::string scope,
                                         WallTime now);

}  // namespace oauth2
