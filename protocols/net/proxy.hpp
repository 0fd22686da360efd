#pragma once

#include "protocols/net/dial.hpp"

namespace net {

/// Asks the proxy at the other end of `stream` to connect us to host and port. Afterwards the stream is as if it had
/// been dialled directly; what the far end said first is unread. The stream's pace must be set.
/// CONNECT: RFC 9110 §9.3.6. SOCKS: RFC 1928, RFC 1929; the proxy resolves the name.
/// Errors: proxy_refused, proxy_wants_login, proxy_malformed, name_not_found, refused, unreachable, and the stream's.
awaitable<Result<void>> pass_proxy(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port);

}  // namespace net
