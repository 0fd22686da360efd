#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace net {

/// What can go wrong with a connection. The words of each value are what an operator reads.
enum class errc {
    name_not_found = 1,    // the name does not resolve
    resolver_failed,       // the resolver gave no answer
    refused,               // connection refused
    unreachable,           // no route
    timed_out,             // the step's time is over
    too_slow,              // bytes came slower than the least rate
    closed,                // the peer closed in order (close_notify, or FIN on a plain connection)
    truncated,             // FIN without close_notify: what was being read is incomplete
    reset,                 // connection reset
    tls_handshake_failed,  // alert or protocol error
    tls_too_old,           // peer offers less than TLS 1.2
    certificate_expired,
    certificate_not_yet_valid,
    certificate_self_signed,
    certificate_unknown_ca,
    certificate_wrong_host,
    certificate_bad,   // revoked, malformed, wrong purpose, bad signature
    bytes_before_tls,  // bytes were waiting when TLS was to start (STARTTLS response injection)
    ca_file_unreadable,
    proxy_refused,      // the proxy answered with a refusal
    proxy_wants_login,  // 407, or SOCKS method refused
    proxy_malformed,
    stopped,     // our own side is shutting down
    tls_broken,  // alert, forged or malformed record after the handshake
    proxy_url_malformed,
    certificate_unreadable,  // our own: no PEM certificate in the file
    private_key_unreadable,  // our own: no PEM private key in the file, or one with a passphrase
    private_key_of_another,  // it does not belong to the certificate
    out_of_reach,            // the name leads to addresses that may not be called
    network_malformed,       // no "10.0.0.0/8"
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace net

template <>
struct boost::system::is_error_code_enum<net::errc> : std::true_type {};
