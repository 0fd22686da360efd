#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace smtp {

/// What can go wrong in an SMTP dialogue, beyond the connection itself.
enum class errc {
    malformed_reply = 1,
    reply_line_too_long,
    reply_too_long,    // too many lines, or too many bytes in all of them
    unexpected_reply,  // success where none can be, one reply too many, or none was asked for
    goodbye,           // 421 that nobody asked for; Client::farewell() has it
    tls_not_offered,
    tls_required,  // nobody logs in over a plain connection
    mechanism_not_offered,
    unusable,  // the connection was spoilt before

    // Our own arguments cannot be sent. Each names its field.
    bad_name,                // for EHLO: no domain, no address literal
    bad_login,               // user, secret or host
    login_too_long,          // RFC 4954 §4: over 12288 octets
    bad_address,             // of a sender or recipient
    address_too_long,        // RFC 5321 §4.5.3.1: local part over 64, domain over 255, both over 254 octets
    bad_envelope_id,         // ENVID
    bad_original_recipient,  // ORCPT
    no_recipients,
    body_not_canonical,  // a CR or LF that is no CRLF
    body_size_wrong,     // more or fewer bytes than Body::size_bytes() said
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace smtp

template <>
struct boost::system::is_error_code_enum<smtp::errc> : std::true_type {};
