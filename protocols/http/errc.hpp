#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace http {

/// What can go wrong in an HTTP dialogue, beyond the connection itself.
enum class errc {
    malformed = 1,         // not HTTP/1.1 as RFC 9112 has it
    header_too_long,       // over Limits::header_bytes_max
    body_too_long,         // over Limits::body_bytes_max
    incomplete,            // the connection ended inside a message
    too_many_interim,      // 1xx answers without end
    bad_argument,          // our own message cannot be sent (CR, LF or NUL in a header)
    bad_url,               // not a URL with a host
    not_https,             // secrets go over https only
    nobody_listens,        // no socket at this path, or nobody behind it
    socket_path_too_long,  // longer than a Unix socket address allows
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace http

template <>
struct boost::system::is_error_code_enum<http::errc> : std::true_type {};
