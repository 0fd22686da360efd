#pragma once

#include <string>
#include <string_view>

namespace sasl {

/// Whether `text` can stand in a field of the mechanisms here: not empty, without NUL, 0x01, CR and LF.
bool is_field(std::string_view text) noexcept;
/// A saslname: "=" as "=3D", "," as "=2C". RFC 5801 §4.
std::string saslname(std::string_view user);

}  // namespace sasl
