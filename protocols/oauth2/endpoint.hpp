#pragma once

#include <memory>
#include <string>

#include "protocols/net/seams.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/oauth2/response.hpp"

namespace oauth2 {

/// Asks the token endpoint at `url` (https only) with a form of request.hpp. Any status is an answer.
/// Errors: http::errc::url_malformed, not_encrypted, those of the connection and of HTTP (body_too_long, malformed).
awaitable<Result<TokenAnswer>> ask(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                   Secret form, std::chrono::milliseconds within);
/// Within 30 seconds.
awaitable<Result<TokenAnswer>> ask(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                   Secret form);

}  // namespace oauth2
