#pragma once
/// A credential: what the token service and its token show, and what that means.

#include <optional>
#include <string>

#include "engine/doctor/claims.hpp"
#include "engine/doctor/knowledge.hpp"
#include "engine/doctor/way.hpp"
#include "engine/tokens/token.hpp"
#include "engine/tokens/token_service.hpp"

namespace doctor {

struct GrantFacts {
    bool late = false;     // no answer of the token service in time
    std::string no_token;  // its reason; empty: there is one
    std::optional<WallTime> retry_at;
    std::optional<tokens::Token> token;  // or a password
    std::optional<Claims> claims;        // of the token, where it shows any
    tokens::TokenService::GrantFacts grant;
};

/// Asks the token service as sessions do: one flight for each credential, a new refresh token durable before its
/// access token is seen. A seam: tests answer themselves.
class Grants {
public:
    virtual ~Grants() = default;
    virtual awaitable<GrantFacts> of(std::string credential, std::chrono::milliseconds within) = 0;
};

struct GrantExpected {
    config::Credential credential;
    config::Provider provider;
    std::string redirect_uri;
    WallTime now{};
    bool over_pop3 = false;  // all its mailboxes
};
Judged judge(const GrantFacts& facts, const GrantExpected& expected);

/// How remedies name it; `claims` may know the application's object id.
Names names_of(const config::Credential& credential, const config::Provider& provider,
               const std::optional<Claims>& claims);

}  // namespace doctor
