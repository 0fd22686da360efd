#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace text {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;
};

/// The code point at the front of `utf8`; nullopt: empty, or no UTF-8 stands there (overlong forms and surrogates are
/// none). RFC 3629.
std::optional<CodePoint> first_code_point(std::string_view utf8) noexcept;

/// Neither a control character nor a mark that ends a line or changes the direction of what follows.
bool is_printable(char32_t point) noexcept;

}  // namespace text
