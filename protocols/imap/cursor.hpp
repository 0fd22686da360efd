#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imap {

/// Reads the tokens of one response from the front of `rest`. Literals stand in it with their bytes: `{3}CRLFabc`.
/// A method that answers nullopt or false has taken nothing.
struct Cursor {
    std::string_view rest;

    void skip_blanks() noexcept;
    bool take(char wanted) noexcept;
    /// Up to a blank, parenthesis, or the end; not empty.
    std::optional<std::string_view> atom() noexcept;
    std::optional<std::uint64_t> number() noexcept;
    /// A quoted string, unescaped, or a literal.
    std::optional<std::string> string();
    std::optional<std::string> astring();
    /// One value of any kind: atom, string, or list of values with at most `nesting_max` levels.
    bool skip_value(std::size_t nesting_max);
};

/// The length of the literal that `line` (without its line end) announces at its end: "{12}", "{12+}", "~{12}".
struct Announced {
    std::optional<std::uint64_t> bytes;  // nullopt: more than 64 bits
    std::size_t text_bytes = 0;          // of the announcement itself
};
std::optional<Announced> literal_announced(std::string_view line) noexcept;

}  // namespace imap
