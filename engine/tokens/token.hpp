#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "protocols/base/clock.hpp"
#include "protocols/base/secret.hpp"

namespace tokens {

/// A secret that several shards hold: its bytes are in memory once, and wiped with the last holder.
class SharedSecret {
public:
    SharedSecret() = default;
    SharedSecret(Secret secret)  // NOLINT: a secret is shared as it is
        : secret_(secret.empty() ? nullptr : std::make_shared<const Secret>(std::move(secret))) {}

    [[nodiscard]] std::string_view reveal() const noexcept { return secret_ ? secret_->reveal() : std::string_view(); }
    [[nodiscard]] bool empty() const noexcept { return secret_ == nullptr; }

private:
    std::shared_ptr<const Secret> secret_;
};
template <class Stream>
Stream& operator<<(Stream&, const SharedSecret&) = delete;

/// What a session logs in with.
struct Token {
    enum class Kind { bearer, password } kind = Kind::bearer;
    SharedSecret secret;
    std::string user;              // of the credential; the mailbox may log in under another name
    std::uint64_t generation = 0;  // tells this one from its predecessors: hand it back to rejected() and accepted()
    WallTime expires_at = WallTime::max();
};

/// Why there is nothing to log in with. A fault of the account: no message is to blame.
struct NoToken {
    std::string reason;                // what was asked, of whom, what came back
    bool person_needed = false;        // consent, or an operator; otherwise it passes by itself
    std::optional<WallTime> retry_at;  // of the next attempt; absent: only a new import or sign-in helps
};

using TokenAnswer = std::variant<Token, NoToken>;

}  // namespace tokens
