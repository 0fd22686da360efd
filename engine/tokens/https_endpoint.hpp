#pragma once

#include "engine/tokens/endpoint.hpp"
#include "protocols/net/seams.hpp"

namespace tokens {

/// Token endpoints over HTTPS. Lives on the shard whose seams it uses.
class HttpsEndpoint final : public TokenEndpoint {
public:
    explicit HttpsEndpoint(Seams& seams, std::chrono::milliseconds within = std::chrono::seconds(30)) noexcept
        : seams_(seams), within_(within) {}

    awaitable<TokenReply> ask(TokenRequest request) override;

private:
    Seams& seams_;
    std::chrono::milliseconds within_;
};

}  // namespace tokens
