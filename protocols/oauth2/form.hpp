#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocols/base/secret.hpp"

namespace oauth2 {

using Field = std::pair<std::string_view, std::string_view>;

/// One name or value of a form, added to `out`. RFC 6749 appendix B.
void append_encoded(std::string& out, std::string_view bytes);

/// application/x-www-form-urlencoded. RFC 6749 appendix B.
Secret form_of(std::span<const Field> fields);

/// The same with %20 for blanks, which every server reads in a URL. RFC 3986 §2.1.
std::string query_of(std::span<const Field> fields);

}  // namespace oauth2
