#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace sasl {

/// Why an identity cannot be put into a SASL response.
enum class errc {
    bad_user = 1,  // empty, or with a control character that would end its field
    bad_secret,
    bad_host,
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace sasl

template <>
struct boost::system::is_error_code_enum<sasl::errc> : std::true_type {};
