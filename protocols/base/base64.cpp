#include "protocols/base/base64.hpp"

#include <array>
#include <cstdint>

namespace {

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t foreign = 0xff;

constexpr std::array<std::uint8_t, 256> values_of(std::string_view alphabet) {
    std::array<std::uint8_t, 256> values{};
    values.fill(foreign);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}

constexpr auto standard_values = values_of(standard_alphabet);
constexpr auto url_values = values_of(url_alphabet);

/// Without padding.
std::string encoded(std::string_view bytes, std::string_view alphabet) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char c : bytes) {
        group = (group << 8U) | static_cast<unsigned char>(c);
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            out += alphabet[(group >> bits) & 63U];
        }
    }
    if (bits > 0) out += alphabet[(group << (6 - bits)) & 63U];
    return out;
}

/// `text` carries no padding. The bits left over must be zero.
std::optional<std::string> decoded(std::string_view text, const std::array<std::uint8_t, 256>& values) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const std::uint8_t value = values[static_cast<unsigned char>(c)];
        if (value == foreign) return std::nullopt;
        group = (group << 6U) | value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>((group >> bits) & 0xffU);
        }
    }
    if ((group & ((1U << bits) - 1U)) != 0) return std::nullopt;
    return out;
}

}  // namespace

std::string base64_encoded(std::string_view bytes) {
    std::string out = encoded(bytes, standard_alphabet);
    while (out.size() % 4 != 0) out += '=';
    return out;
}

std::optional<std::string> base64_decoded(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    if (text.ends_with("==")) {
        text.remove_suffix(2);
    } else if (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    return decoded(text, standard_values);
}

std::string base64url_encoded(std::string_view bytes) { return encoded(bytes, url_alphabet); }

std::optional<std::string> base64url_decoded(std::string_view text) { return decoded(text, url_values); }
