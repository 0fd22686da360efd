#pragma once

#include "engine/tokens/endpoint.hpp"
#include "protocols/net/seams.hpp"

namespace tokens {

/// Identity providers over HTTPS. Lives on the shard whose seams it uses.
class HttpsEndpoint final : public TokenEndpoint {
public:
    explicit HttpsEndpoint(Seams& seams, std::chrono::milliseconds within = std::chrono::seconds(30)) noexcept
        : seams_(seams), within_(within) {}

    awaitable<TokenReply> ask(TokenRequest request) override;
    awaitable<Result<oauth2::DeviceAnswer>> ask_device(std::string url, std::shared_ptr<const net::TlsClient> tls,
                                                       oauth2::Post post) override;
    awaitable<Result<jose::KeySet>> keys(std::string url, std::shared_ptr<const net::TlsClient> tls) override;

private:
    Seams& seams_;
    std::chrono::milliseconds within_;
};

}  // namespace tokens
