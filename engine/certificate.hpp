#pragma once

#include <memory>
#include <string>

#include "engine/config/flags.hpp"
#include "protocols/base/result.hpp"
#include "protocols/net/tls_server.hpp"

/// The console's side of TLS, from the files that the flags name; nullptr: none is named.
struct ConsoleCertificate {
    std::shared_ptr<const net::TlsServer> tls;
    std::string fault;  // which file, what is wrong with it, and what to do; empty: nothing
};
ConsoleCertificate read_certificate(const config::RunFlags& flags);
