#include "protocols/net/errc.hpp"

#include <string>

namespace net {

namespace {

const char* words(errc code) noexcept {
    switch (code) {
        case errc::name_not_found:
            return "the host name does not resolve: no such name";
        case errc::resolver_failed:
            return "the name server gave no usable answer";
        case errc::refused:
            return "connection refused: nothing listens there, or a firewall rejects us";
        case errc::unreachable:
            return "no route to the address";
        case errc::timed_out:
            return "timed out: no answer in the time allowed";
        case errc::too_slow:
            return "too slow: bytes move below the least rate";
        case errc::closed:
            return "the peer closed the connection in order";
        case errc::truncated:
            return "the connection ended without TLS close_notify: what was being read is incomplete";
        case errc::reset:
            return "the peer reset the connection";
        case errc::tls_handshake_failed:
            return "the TLS handshake failed: alert, or what came back is not TLS";
        case errc::tls_too_old:
            return "the server offers only TLS versions older than 1.2";
        case errc::certificate_expired:
            return "a certificate of the server's chain has expired";
        case errc::certificate_not_yet_valid:
            return "a certificate of the server's chain is not valid yet (or our clock is wrong)";
        case errc::certificate_self_signed:
            return "the server's certificate is self-signed and not among the trusted ones";
        case errc::certificate_unknown_ca:
            return "the server's certificate comes from an authority that is not trusted here";
        case errc::certificate_wrong_host:
            return "the server's certificate is for another host name";
        case errc::certificate_bad:
            return "the server's certificate is not acceptable (revoked, malformed, wrong purpose or bad signature)";
        case errc::bytes_before_tls:
            return "the server sent bytes before TLS began (possible response injection)";
        case errc::ca_file_unreadable:
            return "the file of trusted authorities cannot be read or holds no certificate";
        case errc::proxy_refused:
            return "the proxy refused to connect us";
        case errc::proxy_wants_login:
            return "the proxy wants a login, or refused ours";
        case errc::proxy_malformed:
            return "the proxy's answer is malformed";
        case errc::stopped:
            return "stopped: our own side is shutting down";
        case errc::tls_broken:
            return "the TLS connection broke: alert, or a forged or malformed record";
        case errc::proxy_url_malformed:
            return "malformed proxy URL: expected http://[user:password@]host:port or "
                   "socks5://[user:password@]host:port";
        case errc::certificate_unreadable:
            return "the file cannot be read or holds no certificate in PEM form";
        case errc::private_key_unreadable:
            return "the file cannot be read or holds no private key in PEM form without a passphrase";
        case errc::private_key_of_another:
            return "the private key is not the one of the certificate";
        case errc::out_of_reach:
            return "the name leads to a private, local or reserved address, which may not be called";
        case errc::network_malformed:
            return "expected a network like 10.0.0.0/8 or fd00::/8 (no bits set beyond its prefix), or an address";
    }
    return "unknown network error";
}

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "net"; }
    std::string message(int value) const override { return words(static_cast<errc>(value)); }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace net
