#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace config {

enum class errc {
    malformed_document = 1,  // a document in the store that this program cannot read
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace config

template <>
struct boost::system::is_error_code_enum<config::errc> : std::true_type {};
