#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"

namespace sim {

struct TokenRules {
    std::chrono::seconds lives_for = std::chrono::seconds(3600);
    std::size_t access_token_bytes = 1600;  // Entra's have 1.5 to 3 KB
    bool refresh_once = false;              // a refresh token ends with its use (Entra's don't)
    bool superseded = false;                // a refresh token ends when what it was traded for is used
};

/// Who holds which token. One thread. Refresh tokens follow from the user and a running number, so that those of an
/// earlier run still work; access tokens are random and end with the process.
class TokenBook {
public:
    TokenBook(TokenRules rules, const Clock& clock, Random& random) : rules_(rules), clock_(clock), random_(random) {}

    struct Pair {
        std::string access_token;
        std::string refresh_token;
        std::chrono::seconds expires_in{};
    };
    /// The first refresh token of a user, as an operator would have got it at consent.
    [[nodiscard]] std::string first_refresh_token(std::string_view user) const { return refresh_token(user, 0); }
    /// nullopt: not one of ours, revoked, or used up.
    std::optional<Pair> refresh(std::string_view refresh_token);
    /// The same after a new consent, without a refresh token before it.
    Pair begin(std::string_view user);
    /// This one token works no more, whatever the user's others do.
    void end(std::string_view token);
    /// An access token without a grant.
    std::string issue(std::string_view user);
    /// The same as an answer without a refresh token (app-only flows).
    Pair issue_alone(std::string_view user) { return {issue(user), {}, rules_.lives_for}; }
    /// Whose refresh token it is, also when it is of no use any more; empty: not one of ours.
    [[nodiscard]] std::string user_of(std::string_view refresh_token) const;

    struct Holder {
        std::string user;
        Monotonic expires{};
        std::uint64_t generation = 0;  // of the refresh token that came with it; 0: none
    };
    /// Whom the token stands for, as long as it is valid.
    [[nodiscard]] std::optional<Holder> holder_of(std::string_view access_token) const;
    /// Somebody logged in with it.
    void used(std::string_view access_token);
    /// Every access token that stands for the user and was not forgotten yet.
    [[nodiscard]] std::vector<std::string> access_tokens_of(std::string_view user) const;
    /// Ends the access tokens of a user (empty: all).
    void expire(std::string_view user);
    /// No refresh token that the user has works any more; those of a later consent do.
    void revoke(std::string_view user) { revoked_[std::string(user)] = generations_[std::string(user)]; }
    void restore(std::string_view user) { revoked_.erase(std::string(user)); }
    void set_lifetime(std::chrono::seconds lives_for) { rules_.lives_for = lives_for; }
    [[nodiscard]] std::uint64_t issued() const noexcept { return issued_; }

private:
    struct Facts {
        std::string user;
        std::uint64_t generation = 0;
    };
    [[nodiscard]] std::string refresh_token(std::string_view user, std::uint64_t generation) const;
    [[nodiscard]] std::optional<Facts> facts_of(std::string_view refresh_token) const;
    [[nodiscard]] bool revoked(const Facts& facts) const;
    void forget_expired();

    TokenRules rules_;
    const Clock& clock_;
    Random& random_;
    std::map<std::string, Holder, std::less<>> access_;
    std::map<std::string, std::uint64_t, std::less<>> generations_;
    std::map<std::string, std::uint64_t, std::less<>> oldest_;  // generation of each user that is still good
    std::set<std::string, std::less<>> used_;
    std::set<std::string, std::less<>> ended_;
    std::map<std::string, std::uint64_t, std::less<>> revoked_;  // up to which generation
    std::uint64_t issued_ = 0;
    std::size_t forget_at_ = 1024;
};

}  // namespace sim
