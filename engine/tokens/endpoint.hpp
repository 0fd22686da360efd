#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "engine/tokens/refresh_plan.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/jose/key_set.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/oauth2/device.hpp"
#include "protocols/oauth2/request.hpp"
#include "protocols/wait/asio.hpp"

namespace tokens {

/// What is asked of a token endpoint.
struct TokenRequest {
    using What =
        std::variant<oauth2::Refresh, oauth2::Redemption, oauth2::DevicePoll, oauth2::OwnBehalf, oauth2::JwtBearer>;
    std::string url;
    std::shared_ptr<const net::TlsClient> tls;
    What what;
};

/// What came back.
struct TokenReply {
    Answer answer;
    Secret access_token;
    Secret refresh_token;  // empty: the old one stays
    Secret id_token;       // empty: none
    std::optional<std::chrono::seconds> expires_in;
    std::string scope;  // what was granted; empty: not said
    std::string says;   // for people: the server's text or the failure of the connection; holds no secret
    std::optional<oauth2::Refusal> refusal;
};

/// Asks an identity provider. Takes bounded time and memory whatever the server does.
class TokenEndpoint {
public:
    virtual ~TokenEndpoint() = default;
    virtual awaitable<TokenReply> ask(TokenRequest request) = 0;
    /// Errors: those of oauth2::ask_device.
    virtual awaitable<Result<oauth2::DeviceAnswer>> ask_device(std::string url,
                                                               std::shared_ptr<const net::TlsClient> tls,
                                                               oauth2::Post post) = 0;
    /// Errors: those of oauth2::fetch_keys.
    virtual awaitable<Result<jose::KeySet>> keys(std::string url, std::shared_ptr<const net::TlsClient> tls) = 0;
};

}  // namespace tokens
