#include "protocols/base/utf8.hpp"

namespace text {

std::optional<CodePoint> first_code_point(std::string_view utf8) noexcept {
    if (utf8.empty()) return std::nullopt;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(utf8[at]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return CodePoint{lead, 1};
    if (lead < 0xc2 || lead > 0xf4) return std::nullopt;
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (bytes > utf8.size()) return std::nullopt;
    char32_t point = lead & (0x7fU >> bytes);
    for (std::size_t at = 1; at < bytes; ++at) {
        if ((byte(at) & 0xc0U) != 0x80) return std::nullopt;
        point = (point << 6U) | (byte(at) & 0x3fU);
    }
    const bool overlong = (bytes == 3 && point < 0x800) || (bytes == 4 && (point < 0x10000 || point > 0x10ffff));
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (overlong || surrogate) return std::nullopt;
    return CodePoint{point, bytes};
}

bool is_printable(char32_t point) noexcept {
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return false;
    const bool line_end = point == 0x2028 || point == 0x2029;
    const bool direction = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
    return !line_end && !direction;
}

}  // namespace text
