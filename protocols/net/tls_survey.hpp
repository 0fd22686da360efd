#pragma once

#include <string>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/net/stream.hpp"

namespace net {

/// What a server shows of itself in a TLS handshake, trusted or not. Texts are printable.
struct TlsSurvey {
    std::string version;             // "TLSv1.3"
    std::string subject, issuer;     // "CN = outlook.com, O = Microsoft Corporation"
    std::vector<std::string> names;  // host names and addresses that the certificate is for
    WallTime not_before{}, not_after{};
    std::vector<errc> flaws;  // each once, why TlsClient would refuse it; empty: it would not
};

/// For diagnosis: shakes hands over a plain connection with whoever is there, whatever the certificate says and however
/// old its TLS is, and says what a connection to `host` with these authorities (empty: the system's) would have against
/// it. Nothing may be sent on the stream afterwards. Errors: ca_file_unreadable, tls_handshake_failed, the stream's.
awaitable<Result<TlsSurvey>> survey_tls(Stream& plain, std::string host, std::string ca_file);

}  // namespace net
