#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

namespace console {

/// `text` for the inside of an element or of a quoted attribute.
std::string escaped(std::string_view text);

/// Markup, as only html() makes it.
struct Html {
    std::string markup;
    Html& operator+=(const Html& more) {
        markup += more.markup;
        return *this;
    }
};

inline const std::string& piece_of(const Html& part) { return part.markup; }
inline std::string piece_of(std::string_view part) { return escaped(part); }
template <std::integral Number>
std::string piece_of(Number part) {
    return fmt::format("{}", part);
}

/// The pattern with the parts in it: markup as it is, any text escaped. So nothing from outside becomes markup.
template <class... Parts>
Html html(std::string_view pattern, const Parts&... parts) {
    return Html{fmt::format(fmt::runtime(pattern), piece_of(parts)...)};
}

}  // namespace console
