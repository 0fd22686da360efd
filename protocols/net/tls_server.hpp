#pragma once

#include <memory>
#include <string>

#include "protocols/base/result.hpp"

namespace net {

/// The server's side of TLS: a certificate with its chain, and its key. Any thread may use it. TLS 1.2 or newer.
/// A renewed certificate is another TlsServer; connections keep the one that they began with.
class TlsServer {
public:
    /// PEM files: the certificate first, then what leads to the authority; the key without passphrase.
    /// Errors: certificate_unreadable, private_key_unreadable, private_key_of_another.
    static Result<std::shared_ptr<const TlsServer>> make(const std::string& certificate_file,
                                                         const std::string& private_key_file);
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    ~TlsServer();

    struct Impl;  // tls_server.cpp and tls_session.cpp only
    [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
    explicit TlsServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace net
