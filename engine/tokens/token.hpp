#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "protocols/base/clock.hpp"
#include "protocols/base/secret.hpp"

namespace tokens {

/// What a session logs in with.
struct Token {
    enum class Kind { bearer, password } kind = Kind::bearer;
    Secret secret;
    std::string user;              // of the credential; the mailbox may log in under another name
    std::uint64_t generation = 0;  // tells this one from its predecessors: hand it back to rejected() and accepted()
    WallTime expires_at = WallTime::max();
    WallTime ask_again_at = WallTime::max();  // from then on there may be a newer one
};

/// Why there is nothing to log in with. A fault of the account: no message is to blame.
struct NoToken {
    std::string reason;                // what was asked, of whom, what came back
    bool person_needed = false;        // consent, or an operator; otherwise it passes by itself
    std::optional<WallTime> retry_at;  // of the next attempt; absent: only a new import or sign-in helps
};

using TokenAnswer = std::variant<Token, NoToken>;

}  // namespace tokens
