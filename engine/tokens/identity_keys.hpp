#pragma once

#include <map>
#include <string>

#include "engine/tokens/endpoint.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/oauth2/id_token.hpp"

namespace tokens {

/// The keys that providers sign id_tokens with, kept for a day and fetched anew when a token names one that is not
/// among them. One shard.
class IdentityKeys {
public:
    IdentityKeys(TokenEndpoint& endpoint, const Clock& clock) noexcept : endpoint_(endpoint), clock_(clock) {}

    /// Errors: those of fetching the keys and of oauth2::read_id_token.
    awaitable<Result<oauth2::IdToken>> read(std::string url, std::shared_ptr<const net::TlsClient> tls, Secret id_token,
                                            oauth2::IdTokenDemand demand);

private:
    struct Fetched {
        jose::KeySet keys;
        Monotonic at{};
    };
    awaitable<Result<void>> fetch(std::string url, std::shared_ptr<const net::TlsClient> tls);

    TokenEndpoint& endpoint_;
    const Clock& clock_;
    std::map<std::string, Fetched> fetched_;  // by URL
};

}  // namespace tokens
