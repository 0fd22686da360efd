#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace net {

struct FreeOpenSsl {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
template <class T>
using OpenSslPtr = std::unique_ptr<T, FreeOpenSsl>;

/// The newest session ticket of one host and port. Any thread.
class TicketSlot {
public:
    void keep(OpenSslPtr<SSL_SESSION> session);
    /// A copy to offer (one session object can't be offered twice); null when there is none that is fresh: the chain is
    /// verified anew at least twice a day.
    [[nodiscard]] OpenSslPtr<SSL_SESSION> copy() const;

private:
    mutable std::mutex mutex_;
    OpenSslPtr<SSL_SESSION> session_;
};

/// The slots of all hosts, bounded. Any thread.
class Tickets {
public:
    std::shared_ptr<TicketSlot> slot(const std::string& host, std::uint16_t port);

private:
    static constexpr std::size_t slots_max = 1024;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<TicketSlot>> slots_;
};

/// Verified certificates, each once in memory however many connections show it. Bounded. Any thread.
class Certificates {
public:
    /// Replaces each certificate of `chain` by the shared one that equals it.
    void share(STACK_OF(X509) * chain);
    [[nodiscard]] std::size_t count() const;

private:
    static constexpr std::size_t certificates_max = 4096;
    using Digest = std::array<unsigned char, 32>;
    mutable std::mutex mutex_;
    std::map<Digest, OpenSslPtr<X509>> shared_;
};

}  // namespace net
