#include "protocols/net/tls.hpp"

#include <openssl/err.h>

#include "protocols/base/ensure.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/net/tls_session.hpp"

namespace net {

namespace {

int new_ticket(SSL* ssl, SSL_SESSION* session) {
    static_cast<TicketSlot*>(SSL_get_app_data(ssl))->keep(OpenSslPtr<SSL_SESSION>(session));
    return 1;  // the session is ours now
}

/// Verifies as usual; then the certificates of a good chain are replaced by the shared ones, and the verified chain,
/// which nobody reads, is freed. The stack seen here is the session's own chain, and its first certificate becomes the
/// session's peer (OpenSSL 3.0; the test "connections share equal certificates" guards it).
int verify_and_share(X509_STORE_CTX* verification, void* impl) {
    if (X509_verify_cert(verification) != 1) return 0;
    STACK_OF(X509)* chain = X509_STORE_CTX_get0_untrusted(verification);
    static_cast<TlsClient::Impl*>(impl)->certificates.share(chain);
    X509_STORE_CTX_set_cert(verification, sk_X509_value(chain, 0));
    X509_STORE_CTX_set0_verified_chain(verification, nullptr);
    return 1;
}

}  // namespace

Result<std::shared_ptr<const TlsClient>> TlsClient::make(Trust trust) {
    const std::string ca_file = std::move(trust.ca_file);
    auto impl = std::make_unique<Impl>();
    impl->context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = impl->context.get();
    ensure(context != nullptr, "memory for the TLS settings");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context, verify_and_share, impl.get());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, new_ticket);
    const int trusted = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                        : SSL_CTX_load_verify_file(context, ca_file.c_str());
    ERR_clear_error();
    if (trusted != 1) return errc::ca_file_unreadable;
    return std::shared_ptr<const TlsClient>(new TlsClient(std::move(impl)));
}

TlsClient::TlsClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TlsClient::~TlsClient() = default;

TlsClient::Stats TlsClient::stats() const {
    return {impl_->handshakes.load(), impl_->resumed.load(), impl_->certificates.count()};
}

}  // namespace net
