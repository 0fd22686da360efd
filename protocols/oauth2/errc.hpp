#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace oauth2 {

/// Why a callback, an id_token or a key file is not taken.
enum class errc {
    query_too_long = 1,   // of the callback
    query_malformed,      // a broken %XX, or more parameters than anybody sends
    parameter_twice,      // RFC 6749 §3.1
    parameter_too_long,   // state, code, iss, error
    state_missing,        // RFC 6749 §4.1.2
    code_missing,         // neither code nor error
    code_and_error,       // both
    other_redirect,       // what was pasted is no answer to our redirect URI
    wrong_issuer,         // of the callback (RFC 9207 §2.4) or of the id_token
    wrong_key_issuer,     // Entra: signed with a key for other issuers
    wrong_token_type,     // a token, but no id_token
    claims_malformed,     // a claim is missing, of the wrong type or too long
    wrong_audience,       // issued for another client
    expired,              // with five minutes of grace
    not_yet_valid,        // issued, or valid from, more than five minutes ahead
    wrong_nonce,          // not of this sign-in
    key_file_malformed,   // no service account key file
    key_file_other_kind,  // a key file of another kind
    key_file_token_uri,   // its token_uri is no https URL
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace oauth2

template <>
struct boost::system::is_error_code_enum<oauth2::errc> : std::true_type {};
