#pragma once
/// ASCII text as mail protocols use it. Locale never plays a part.

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace text {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
std::string lowered(std::string_view text);
/// Equal but for the case of ASCII letters.
bool same(std::string_view a, std::string_view b) noexcept;
bool starts_with_same(std::string_view text, std::string_view prefix) noexcept;
/// Case-insensitive search; npos when absent.
std::size_t find_same(std::string_view text, std::string_view wanted) noexcept;
/// Without blanks and tabs, CR and LF at both ends.
std::string_view trimmed(std::string_view text) noexcept;
/// Views into `text`; empty pieces are kept.
std::vector<std::string_view> split(std::string_view text, char at);
/// Printable form of bytes from outside: controls and bytes above 0x7e become \xNN, at most `bytes_max` of input shown.
std::string printable(std::string_view bytes, std::size_t bytes_max = 200);

/// The whole of `digits` as a number: no sign, no blanks, no overflow.
template <class Number>
std::optional<Number> number(std::string_view digits) noexcept {
    Number value{};
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    if (digits.empty() || digits.front() == '-' || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
}

}  // namespace text
