#pragma once
/// What is told of a credential: facts in, JSON out.

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/control/live.hpp"
#include "engine/tokens/grant_record.hpp"

namespace control {

/// All that is known of a credential.
struct CredentialFacts {
    config::Credential credential;
    std::uint64_t mailboxes = 0;  // that are read with it
    bool imported = false;        // a refresh token or a password came with the import document
    /// What the store keeps of its grant; nothing: no token has come yet, or another refresh token was imported since.
    struct Kept {
        std::string state, reason;
        WallTime access_token_ends{};
        std::optional<tokens::GrantRecord> record{};  // nothing: there is no key to open it with
    };
    std::optional<Kept> kept{};
    std::vector<Live::Expiring> expiring{};       // what of it ends within 60 days
    std::optional<Live::CredentialState> live{};  // a running daemon's, once somebody asked for its token
};

/// "current", "no grant yet" (nobody has signed in), "sign-in needed", "operator must act", "waiting" (it is tried
/// again by itself), "not asked yet".
std::string_view state_of(const CredentialFacts& facts);

/// {"id", "provider", "user", "flow", "state", "reason", "advice", "access_token_ends", "next_attempt", "signed_in":
/// {"user", "tenant", "object_id", "at"}, "expiring", "mailboxes"}; what is not known is left out.
boost::json::object to_json(const CredentialFacts& facts);

}  // namespace control
