#pragma once

#include <memory>
#include <string>

#include "protocols/http/message.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/net/tls.hpp"

namespace http {

/// What a call may cost.
struct Bounds {
    Limits limits;
    std::chrono::milliseconds within = std::chrono::seconds(30);  // dialling, asking and the whole answer together
};

/// One request and its answer on a connection of their own. Any status is an answer, redirects are not followed.
/// Errors: those of http::errc and of the dialler.
awaitable<Result<Response>> call(Seams& seams, std::shared_ptr<const net::TlsClient> tls, Url url, Request request,
                                 Bounds bounds);

/// The same on an open stream, whose pace is set. The stream is of no further use.
awaitable<Result<Response>> exchange(net::Stream& stream, std::string host, const Request& request, Limits limits);

/// The same over a Unix socket. Errors also: no_such_file_or_directory, connection_refused (nobody listens),
/// permission_denied, net::errc::timed_out.
awaitable<Result<Response>> call_unix(std::string socket_path, Request request, Bounds bounds);
awaitable<Result<Response>> call_unix(std::string socket_path, Request request);

}  // namespace http
