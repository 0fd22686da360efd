#pragma once

#include <chrono>
#include <string>

#include "protocols/base/result.hpp"
#include "protocols/http/message.hpp"
#include "protocols/net/seams.hpp"

namespace http {

/// Sends `request` and reads the response, within `pace` in all; the connection serves this one request. Redirects are
/// answers, nobody follows them. The bytes of the request are wiped once sent.
/// Errors: those of the stream, malformed, header_too_long, body_too_long, incomplete, too_many_interim, bad_argument.
awaitable<Result<Response>> call(net::Stream& stream, Request request, Limits limits, net::Pace pace);

/// The same over a connection that is opened for it; dialling and answer take `to.within` in all.
/// Errors: those of dialling, and as above.
awaitable<Result<Response>> call(Seams& seams, net::Dial to, Request request, Limits limits);

/// The same over the Unix socket at `socket_path`. Errors: nobody_listens (no socket there, or nobody behind it),
/// socket_path_too_long, net::errc::timed_out, those of the system, and as above.
awaitable<Result<Response>> call_unix(std::string socket_path, Request request, Limits limits,
                                      std::chrono::milliseconds within);

}  // namespace http
