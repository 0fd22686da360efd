#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace pop3 {

/// What can go wrong in a POP3 dialogue, beyond the connection itself.
enum class errc {
    malformed_greeting = 1,
    malformed_response,
    malformed_listing,  // an entry of LIST or UIDL that is none, or a number twice
    line_too_long,
    body_too_long,
    too_many_lines,  // of a listing
    unexpected_continuation,
    mechanism_not_offered,
    tls_required,     // a secret would go in the clear
    tls_not_offered,  // STLS
    bad_argument,     // our own argument cannot be sent (CR, LF or NUL in it)
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace pop3

template <>
struct boost::system::is_error_code_enum<pop3::errc> : std::true_type {};
