#include "protocols/net/tls_server.hpp"

#include <openssl/err.h>

#include "protocols/base/ensure.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/net/tls_session.hpp"

namespace net {

namespace {

/// A key with a passphrase must not make the daemon ask at a terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<void> load(SSL_CTX* context, const std::string& certificate_file, const std::string& private_key_file) {
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) return errc::certificate_unreadable;
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (SSL_CTX_use_PrivateKey_file(context, private_key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        const bool of_another = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
        return of_another ? errc::private_key_of_another : errc::private_key_unreadable;
    }
    if (SSL_CTX_check_private_key(context) != 1) return errc::private_key_of_another;
    return {};
}

}  // namespace

Result<std::shared_ptr<const TlsServer>> TlsServer::make(const std::string& certificate_file,
                                                         const std::string& private_key_file) {
    auto impl = std::make_unique<Impl>();
    impl->context.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = impl->context.get();
    ensure(context != nullptr, "memory for the TLS settings");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    ERR_clear_error();
    const auto loaded = load(context, certificate_file, private_key_file);
    ERR_clear_error();
    if (!loaded) return loaded.error();
    return std::shared_ptr<const TlsServer>(new TlsServer(std::move(impl)));
}

TlsServer::TlsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TlsServer::~TlsServer() = default;

}  // namespace net
