#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mime {

/// RFC 5322 §2.1.1, without the line end.
inline constexpr std::size_t line_bytes_max = 998;

/// Appends a header section, or a part of one, whose lines end with CRLF; a line over line_bytes_max is folded at its
/// white space, so that unfolding gives what it was (RFC 5322 §2.2.3), all others stay. Empty: it fits. Else the name
/// of a field with a line that cannot be folded so: nothing is appended then.
std::string fold(std::string_view section, std::string& out);

}  // namespace mime
