#include "protocols/smtp/xtext.hpp"

namespace smtp {
namespace {

constexpr std::string_view hex = "0123456789ABCDEF";

constexpr bool stands_for_itself(char c) noexcept { return c > 0x20 && c < 0x7f && c != '+' && c != '='; }

}  // namespace

std::string xtext_encoded(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        if (stands_for_itself(c)) {
            out += c;
        } else {
            const auto code = static_cast<unsigned char>(c);
            out += '+';
            out += hex[code >> 4U];
            out += hex[code & 15U];
        }
    }
    return out;
}

std::optional<std::string> xtext_decoded(std::string_view xtext) {
    std::string out;
    for (std::size_t at = 0; at < xtext.size(); ++at) {
        if (stands_for_itself(xtext[at])) {
            out += xtext[at];
            continue;
        }
        if (xtext[at] != '+' || at + 2 >= xtext.size()) return std::nullopt;
        const std::size_t high = hex.find(xtext[at + 1]);
        const std::size_t low = hex.find(xtext[at + 2]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        out += static_cast<char>(high << 4U | low);
        at += 2;
    }
    return out;
}

}  // namespace smtp
