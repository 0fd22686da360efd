#include "protocols/net/tls_session.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

#include "protocols/base/ensure.hpp"
#include "protocols/net/certificate_fault.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/net/tls_bio.hpp"

namespace net {

namespace {

/// Lets the wire be reached by the session's BIO for the time of one call.
class Attached {
public:
    Attached(SSL* ssl, Wire& wire) noexcept : bio_(SSL_get_rbio(ssl)) {
        BIO_set_data(bio_, &wire);
        ERR_clear_error();
    }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;
    ~Attached() { BIO_set_data(bio_, nullptr); }

private:
    BIO* bio_;
};

}  // namespace

TlsSession::TlsSession(const TlsClient& tls, std::string host, std::uint16_t port)
    : ssl_(SSL_new(tls.impl().context.get())), slot_(tls.impl().tickets.slot(host, port)) {
    BIO* bio = new_wire_bio();
    ensure(ssl_ != nullptr && bio != nullptr, "memory for a TLS connection");
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), slot_.get());
    SSL_set_connect_state(ssl_.get());
    if (host.ends_with('.')) host.pop_back();
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(host, not_an_address);
    if (not_an_address) {
        SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
        SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        const int known = SSL_set1_host(ssl_.get(), host.c_str());
        ensure(known == 1, "the host name is what the certificate is held against");
    } else {
        const int known = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
        ensure(known == 1, "the address is what the certificate is held against");
    }
    if (const auto ticket = slot_->copy()) SSL_set_session(ssl_.get(), ticket.get());
}

TlsSession::TlsSession(const TlsServer& tls) : ssl_(SSL_new(tls.impl().context.get())) {
    BIO* bio = new_wire_bio();
    ensure(ssl_ != nullptr && bio != nullptr, "memory for a TLS connection");
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
}

Result<TlsSession::Handshake> TlsSession::handshake(Wire& wire) {
    const Attached attached(ssl_.get(), wire);
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) {
        established_ = true;
        return Handshake::done;
    }
    if (SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return Handshake::wants_bytes;
    fault_ = handshake_fault();
    return fault_;
}

error_code TlsSession::handshake_fault() const {
    const long verdict = SSL_get_verify_result(ssl_.get());
    if (verdict != X509_V_OK) return certificate_fault(verdict);
    const int reason = ERR_GET_REASON(ERR_peek_error());
    if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION ||
        reason == SSL_R_VERSION_TOO_LOW) {
        return errc::tls_too_old;
    }
    return errc::tls_handshake_failed;
}

Result<std::size_t> TlsSession::decrypt(Wire& wire, std::span<char> plain) {
    std::size_t total = 0;
    if (!fault_) {
        const Attached attached(ssl_.get(), wire);
        std::size_t got = 0;
        int done = 1;
        while (total < plain.size() &&
               (done = SSL_read_ex(ssl_.get(), plain.data() + total, plain.size() - total, &got)) == 1) {
            total += got;
        }
        const int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
        if (why == SSL_ERROR_ZERO_RETURN) {
            fault_ = errc::closed;
        } else if (why != SSL_ERROR_WANT_READ) {
            ensure(why != SSL_ERROR_NONE, "plaintext has room for all of its ciphertext");
            fault_ = errc::tls_broken;
        }
        SSL_free_buffers(ssl_.get());  // a ticket of TLS 1.3 left a write buffer of 16 KiB behind
    }
    if (total == 0 && fault_) return fault_;
    return total;
}

Result<void> TlsSession::encrypt(Wire& wire, std::string_view plain) {
    if (fault_ && fault_ != errc::closed) return fault_;  // the peer's close_notify ends its own side only
    const Attached attached(ssl_.get(), wire);
    std::size_t taken = 0;
    const int done = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &taken);
    if (done != 1 || taken != plain.size()) {
        fault_ = errc::tls_broken;
        return fault_;
    }
    return {};
}

void TlsSession::close(Wire& wire) noexcept {
    if (!established_ || fault_ == errc::tls_broken) return;
    const Attached attached(ssl_.get(), wire);
    SSL_shutdown(ssl_.get());
}

}  // namespace net
