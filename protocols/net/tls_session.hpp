#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/net/tls_server.hpp"
#include "protocols/net/tls_tickets.hpp"

namespace net {

struct TlsClient::Impl {
    OpenSslPtr<SSL_CTX> context;
    Tickets tickets;
    Certificates certificates;
    std::atomic<std::uint64_t> handshakes{0};
    std::atomic<std::uint64_t> resumed{0};
};

struct TlsServer::Impl {
    OpenSslPtr<SSL_CTX> context;
};

/// The wire during one call of a TlsSession: ciphertext that came in, and room for what is to go out.
struct Wire {
    std::string_view in;
    std::span<char> out;
    std::size_t out_bytes = 0;
};

/// One side of one TLS connection, without I/O: ciphertext in, plaintext out and back. Holds no reference to
/// a buffer between calls. Stays at its address.
class TlsSession {
public:
    /// What a call of encrypt() takes at most; `out` of its wire has room for wire_bytes_max.
    static constexpr std::size_t plain_bytes_max = 48 * 1024;
    static constexpr std::size_t wire_bytes_max = 56 * 1024;
    /// Plaintext that may come out beyond the size of the ciphertext of the same call: the rest of a record.
    static constexpr std::size_t record_bytes_max = 17 * 1024;

    /// Ready to begin a handshake with `host` (a name, sent as SNI, or an IP address), offering the last ticket of
    /// host and port. `tls` lives until the handshake is over.
    TlsSession(const TlsClient& tls, std::string host, std::uint16_t port);
    /// Ready to be called: the server's side.
    explicit TlsSession(const TlsServer& tls);
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    enum class Handshake { done, wants_bytes };
    /// Errors: tls_handshake_failed, tls_too_old, certificate_…
    Result<Handshake> handshake(Wire& wire);
    [[nodiscard]] bool established() const noexcept { return established_; }
    [[nodiscard]] bool resumed() const noexcept { return SSL_session_reused(ssl_.get()) == 1; }

    /// What ended the session, if anything did.
    [[nodiscard]] error_code fault() const noexcept { return fault_; }

    /// Decrypts all of wire.in into `plain` (at least wire.in + record_bytes_max) and returns how many bytes came out.
    /// Errors, after what came before was returned: tls_broken, closed (the peer said close_notify).
    Result<std::size_t> decrypt(Wire& wire, std::span<char> plain);
    /// Encrypts `plain`, at most plain_bytes_max. Errors: tls_broken.
    Result<void> encrypt(Wire& wire, std::string_view plain);
    /// Our close_notify.
    void close(Wire& wire) noexcept;

    [[nodiscard]] const SSL* ssl() const noexcept { return ssl_.get(); }

private:
    error_code handshake_fault() const;

    OpenSslPtr<SSL> ssl_;
    std::shared_ptr<TicketSlot> slot_;
    error_code fault_;  // sticky: what comes after the bytes returned so far
    bool established_ = false;
};

}  // namespace net
