#pragma once

#include <memory>
#include <string>

#include "engine/config/flags.hpp"
#include "engine/runtime/shard.hpp"
#include "engine/start_error.hpp"
#include "protocols/http/server.hpp"

inline constexpr int exit_unavailable = 69;  // sysexits.h

/// Failures of a handler go to the log.
http::ServerOptions reporting();
/// On the address of --console, with its certificate. Throws StartError, which says what to do.
std::unique_ptr<http::Server> listen_for_browsers(runtime::Shard& shard, const config::RunFlags& flags,
                                                  http::Handler handler, http::ServerOptions options);
/// Reads the certificate again; one that cannot be used leaves the old one in place, with an error in the log.
void renew_certificate(http::Server& server, const config::RunFlags& flags);
/// --external-url, or this machine's own name for the console.
std::string external_url_of(const config::RunFlags& flags, std::uint16_t port);
