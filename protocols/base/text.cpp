#include "protocols/base/text.hpp"

#include <algorithm>
#include <array>

namespace text {

std::string lowered(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool starts_with_same(std::string_view text, std::string_view prefix) noexcept {
    return text.size() >= prefix.size() && same(text.substr(0, prefix.size()), prefix);
}

std::size_t find_same(std::string_view text, std::string_view wanted) noexcept {
    const auto found = std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                                   [](char x, char y) { return lower(x) == lower(y); });
    if (found == text.end() && !wanted.empty()) return std::string_view::npos;
    return static_cast<std::size_t>(found - text.begin());
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> pieces;
    for (;;) {
        const auto end = text.find(at);
        pieces.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return pieces;
        text.remove_prefix(end + 1);
    }
}

std::string printable(std::string_view bytes, std::size_t bytes_max) {
    constexpr std::array<char, 16> hex{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    std::string out;
    for (const char c : bytes.substr(0, bytes_max)) {
        const auto code = static_cast<unsigned char>(c);
        if (code >= 0x20 && code < 0x7f) {
            out += c;
        } else {
            out += "\\x";
            out += hex[code >> 4U];
            out += hex[code & 15U];
        }
    }
    if (bytes.size() > bytes_max) out += "...";
    return out;
}

}  // namespace text
