#pragma once

#include <memory>
#include <string>

#include "engine/config/flags.hpp"
#include "protocols/base/result.hpp"
#include "protocols/net/tls_server.hpp"

/// Our side of TLS as a server, from the files that flags name; nullptr: none is named.
struct ServerCertificate {
    std::shared_ptr<const net::TlsServer> tls;
    std::string fault;  // which file, what is wrong with it, and what to do; empty: nothing
};
/// Of --console-certificate.
ServerCertificate read_certificate(const config::RunFlags& flags);
/// Of --smtp-certificate.
ServerCertificate read_smtp_certificate(const config::RunFlags& flags);
