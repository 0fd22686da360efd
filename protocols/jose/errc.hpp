#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace jose {

/// Why a token, a key or a certificate is not taken.
enum class errc {
    too_long = 1,          // over the limit of its kind
    not_json,              // no JSON object, nested too deep, or not UTF-8
    duplicate_member,      // a JSON object with one name twice: readers differ about which one counts. RFC 7515 §4
    not_compact,           // not three parts in base64url with dots between. RFC 7515 §7.1
    algorithm_refused,     // none, HS*, or any other than RS256, PS256, ES256
    algorithm_mismatch,    // the key is of another type, or for another algorithm
    critical_header,       // `crit` demands what we do not know. RFC 7515 §4.1.11
    unknown_key,           // no key of the set fits
    weak_key,              // an RSA key below 2048 bits, or with an exponent that makes it one
    bad_key,               // not what RFC 7518 §6 asks for
    bad_signature,         // somebody else signed it, or it was altered
    encrypted_key,         // a private key behind a pass phrase
    no_private_key,        // no private key in this PEM
    not_rsa,               // a private key of another type
    no_certificate,        // no certificate in this PEM
    certificate_mismatch,  // the certificate is of another private key
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace jose

template <>
struct boost::system::is_error_code_enum<jose::errc> : std::true_type {};
