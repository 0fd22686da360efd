#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace http {

/// What can go wrong with an HTTP message, beyond the connection itself.
enum class errc {
    malformed = 1,  // not HTTP/1
    header_too_long,
    body_too_long,
    incomplete,  // the connection ended inside the message
    url_malformed,
    not_encrypted,  // https is required here
    port_in_use,
    path_too_long,  // of a Unix socket
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace http

template <>
struct boost::system::is_error_code_enum<http::errc> : std::true_type {};
