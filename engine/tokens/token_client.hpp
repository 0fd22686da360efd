#pragma once

#include <memory>
#include <string>

#include "engine/tokens/token.hpp"
#include "engine/tokens/token_service.hpp"
#include "protocols/wait/asio.hpp"
#include "queue/inbox.hpp"

namespace tokens {

/// The tokens as one shard sees them: the published ones are read without asking anybody, and the way to the service,
/// which may live on another shard. Used on its shard only; ends with it, before the service.
class TokenClient {
public:
    TokenClient(TokenService& service, queue::Inbox& home, const Clock& clock);

    /// What to log in with now, or why there is nothing. Waits for a refresh that is under way or due.
    awaitable<TokenAnswer> token_for(std::string credential);
    /// A server refused this token. Leads to one refresh, however many sessions report it; a fresh token that is
    /// refused, too, parks the credential, unless others get in with it.
    void rejected(const std::string& credential, std::uint64_t generation);
    /// A server ended a session because this token has expired, whatever its lifetime was said to be: it is not handed
    /// out again. One refresh, however many sessions report it.
    void expired(const std::string& credential, std::uint64_t generation);
    /// A login with this token worked.
    void accepted(const std::string& credential, std::uint64_t generation);

private:
    struct Desk;
    TokenService& service_;
    queue::Inbox& home_;
    const Clock& clock_;
    std::shared_ptr<Desk> desk_;  // shared with the answers under way
};

}  // namespace tokens
