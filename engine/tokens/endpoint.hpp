#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/tokens/refresh_plan.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/wait/asio.hpp"

namespace tokens {

/// What is asked of a token endpoint. RFC 6749 §4.4 and §6.
struct TokenRequest {
    enum class Grant { refresh_token, client_credentials } grant = Grant::refresh_token;
    std::string url;
    std::shared_ptr<const net::TlsClient> tls;
    std::string client_id;
    Secret client_secret;  // empty: a public client
    Secret refresh_token;
    std::vector<std::string> scopes;
};

/// What came back.
struct TokenReply {
    Answer answer;
    Secret access_token;
    Secret refresh_token;  // empty: the old one stays
    std::optional<std::chrono::seconds> expires_in;
    std::string says;  // for people: the server's text or the failure of the connection; holds no secret
};

/// Asks token endpoints. Takes bounded time and memory whatever the server does.
class TokenEndpoint {
public:
    virtual ~TokenEndpoint() = default;
    virtual awaitable<TokenReply> ask(TokenRequest request) = 0;
};

}  // namespace tokens
