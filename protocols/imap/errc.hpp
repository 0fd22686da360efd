#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace imap {

/// What can go wrong in an IMAP dialogue, beyond the connection itself.
enum class errc {
    malformed_greeting = 1,
    preauth_refused,  // * PREAUTH: nobody may log us in but we
    bye,              // the server said BYE; Client::bye() has its words
    malformed_response,
    line_too_long,
    literal_too_long,
    nesting_too_deep,
    too_many_responses,
    foreign_tag,  // a tagged line that answers none of our commands
    unexpected_continuation,
    mechanism_not_offered,
    bad_argument,  // our own argument cannot be sent (CR, LF or NUL in it)
    idle_refused,  // NO or BAD to IDLE
    uids_out_of_order,
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace imap

template <>
struct boost::system::is_error_code_enum<imap::errc> : std::true_type {};
