#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "protocols/base/result.hpp"
#include "protocols/jose/key_set.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/oauth2/device.hpp"
#include "protocols/oauth2/request.hpp"
#include "protocols/oauth2/response.hpp"

namespace oauth2 {

/// Posts to the token endpoint at `url` and reads the answer: a grant, or a refusal. `within` covers everything
/// from resolving the name to the last byte. Redirects are refusals. RFC 6749 §3.2.
/// Errors, when there is no answer: those of the dialler and the stream (net::errc), http::errc (bad_url, not_https,
/// malformed, header_too_long, body_too_long over answer_bytes_max, incomplete).
awaitable<Result<Answer>> ask(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url, Post post,
                              std::chrono::milliseconds within);

/// The same at the device endpoint. RFC 8628 §3.1.
awaitable<Result<DeviceAnswer>> ask_device(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                           Post post, std::chrono::milliseconds within);

/// Gets the JWK set at `url`. Errors as above, those of jose::read_key_set, and http::errc::malformed for any status
/// but 200.
awaitable<Result<jose::KeySet>> fetch_keys(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                           std::chrono::milliseconds within);

}  // namespace oauth2
