#include "protocols/mime/transfer_decoding.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mime {
namespace {

constexpr std::uint8_t skipped = 64;
constexpr std::uint8_t padding = 65;

constexpr std::array<std::uint8_t, 256> base64_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(skipped);
    const std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t at = 0; at < letters.size(); ++at)
        values[static_cast<unsigned char>(letters[at])] = static_cast<std::uint8_t>(at);
    values[static_cast<unsigned char>('=')] = padding;
    return values;
}
constexpr auto values = base64_values();

constexpr std::uint8_t value_of(char c) noexcept { return values[static_cast<unsigned char>(c)]; }

/// Bytes that so many letters of a last group stand for.
constexpr std::size_t bytes_of(std::size_t letters) noexcept { return letters < 2 ? 0 : letters - 1; }

constexpr std::uint8_t no_digit = 16;

constexpr std::array<std::uint8_t, 256> hex_values() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(no_digit);
    for (std::uint8_t at = 0; at < 10; ++at) digits['0' + at] = at;
    for (std::uint8_t at = 0; at < 6; ++at) {
        digits['A' + at] = static_cast<std::uint8_t>(10 + at);
        digits['a' + at] = static_cast<std::uint8_t>(10 + at);
    }
    return digits;
}
constexpr auto hex_digits = hex_values();

/// Without the blanks before its end.
std::string_view without_blanks(std::string_view line) {
    const auto last = line.find_last_not_of(" \t");
    return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

std::string decoded_base64(std::string_view text, std::size_t bytes_max) {
    std::string out(std::min(bytes_max, text.size() / 4 * 3 + 3) + 3, '\0');
    std::size_t size = 0;
    std::uint32_t group = 0;
    std::size_t letters = 0;
    const auto put = [&](unsigned shift) { out[size++] = static_cast<char>((group >> shift) & 0xffU); };
    std::size_t at = 0;
    while (at < text.size() && size < bytes_max) {
        if (letters == 0) {  // whole groups, as nearly all are
            while (at + 4 <= text.size() && size < bytes_max) {
                const std::uint32_t a = value_of(text[at]), b = value_of(text[at + 1]), c = value_of(text[at + 2]),
                                    d = value_of(text[at + 3]);
                if ((a | b | c | d) >= skipped) break;
                group = a << 18U | b << 12U | c << 6U | d;
                put(16);
                put(8);
                put(0);
                at += 4;
            }
            group = 0;
            if (at >= text.size() || size >= bytes_max) break;
        }
        const auto value = value_of(text[at++]);
        if (value == skipped) continue;
        if (value != padding) {
            group = group << 6U | value;
            if (++letters < 4) continue;
        } else {
            group <<= 6U * (4 - letters);
        }
        if (letters >= 2) put(16);
        if (letters >= 3) put(8);
        if (letters == 4) put(0);
        letters = 0;
        group = 0;
    }
    if (letters >= 2 && size < bytes_max) {
        group <<= 6U * (4 - letters);
        put(16);
        if (letters == 3) put(8);
    }
    out.resize(std::min(size, bytes_max));
    return out;
}

std::size_t decoded_base64_bytes(std::string_view text) noexcept {
    std::size_t bytes = 0;
    std::size_t letters = 0;
    while (!text.empty()) {
        // Branch-free up to the next padding, of which there is hardly more than one.
        const auto end = std::min(text.find('='), text.size());
        for (const char c : text.substr(0, end)) letters += value_of(c) < skipped ? 1U : 0U;
        bytes += letters / 4 * 3 + bytes_of(letters % 4);
        letters = 0;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return bytes;
}

std::string decoded_quoted_printable(std::string_view text, std::size_t bytes_max) {
    std::string out;
    out.reserve(std::min(text.size(), bytes_max));
    while (!text.empty() && out.size() < bytes_max) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        std::string_view line_end = end == std::string_view::npos ? "" : "\n";
        if (line.ends_with('\r') && !line_end.empty()) {
            line.remove_suffix(1);
            line_end = "\r\n";
        }
        line = without_blanks(line);
        while (!line.empty()) {
            const auto code = std::min(line.find('='), line.size());
            out += line.substr(0, code);
            line.remove_prefix(code);
            if (line.empty()) break;
            if (line.size() == 1) {  // a soft line end
                line_end = "";
                break;
            }
            const auto byte = hex_byte(line.substr(1, 2));
            out += byte ? *byte : '=';
            line.remove_prefix(byte ? 3 : 1);
        }
        out += line_end;
    }
    if (out.size() > bytes_max) out.resize(bytes_max);
    return out;
}

std::optional<char> hex_byte(std::string_view digits) noexcept {
    if (digits.size() < 2) return std::nullopt;
    const unsigned high = hex_digits[static_cast<unsigned char>(digits[0])];
    const unsigned low = hex_digits[static_cast<unsigned char>(digits[1])];
    if ((high | low) >= no_digit) return std::nullopt;
    return static_cast<char>(high << 4U | low);
}

}  // namespace mime
