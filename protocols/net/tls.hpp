#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"

namespace net {

/// The TLS settings of one kind of connection, and what its connections share: trusted authorities, session tickets
/// per host and port, interned certificates. Any thread may use it. TLS 1.2 or newer; chain and host name verified.
class TlsClient {
public:
    struct Trust {
        std::string ca_file;  // empty: the system's authorities
    };
    /// Errors: ca_file_unreadable.
    static Result<std::shared_ptr<const TlsClient>> make(Trust trust);

    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;
    ~TlsClient();

    struct Stats {
        std::uint64_t handshakes = 0;  // completed, resumed ones included
        std::uint64_t resumed = 0;
        std::uint64_t certificates = 0;  // distinct ones shared by connections
    };
    [[nodiscard]] Stats stats() const;

    struct Impl;  // tls.cpp and tls_session.cpp only
    [[nodiscard]] Impl& impl() const noexcept { return *impl_; }

private:
    explicit TlsClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace net
