#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace submission {

/// Why a message is not taken in. The words of each value are what the application reads.
enum class errc {
    headers_too_long = 1,  // over header_bytes_max
    header_malformed,      // a line in the header section that is no field
    header_not_utf8,       // bytes above 0x7f that are no UTF-8
    bare_line_end,         // a CR or LF that is no CRLF, where the peer has to send CRLF
    nul_byte,
    line_too_long,  // over 998 bytes (RFC 5322 §2.1.1), and the message cannot be converted
    loop,           // too many Received fields
    several_from,   // From with several addresses and no Sender, or From twice
    no_recipients,
    too_many_recipients,
    bad_recipient,   // an address in To, Cc or Bcc cannot be read
    empty,           // neither a header nor a body
    unknown_sender,  // no mailbox may send from this address
    too_large,
    in_the_past,  // it would have expired before it may be sent
    closed,       // an operator lets no mail in
    bad_wish,     // the value of an X-Rohrpost-Key, -Lane or -Not-Before field
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace submission

template <>
struct boost::system::is_error_code_enum<submission::errc> : std::true_type {};
