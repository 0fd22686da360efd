#pragma once

#include <string>
#include <string_view>

/// Text beyond what a header section can hold as it is: RFC 2047 and RFC 2231. All of it is UTF-8.
namespace mime {

/// Printable ASCII and blanks.
bool is_plain(std::string_view text) noexcept;

/// The value of an unstructured field whose name and colon take `column` bytes: as it is, folded at blanks, where it
/// would be read so; else in encoded words of whole characters, each on a line of its own. Begins with a blank.
std::string unstructured(std::string_view text, std::size_t column);

/// A display name: words, a quoted string, or encoded words.
std::string phrase(std::string_view name);

/// A text in quotes. Of ASCII without controls.
std::string quoted(std::string_view text);

/// "; NAME=…" for a text of any kind: quoted when it is short, or encoded and, when it is long, continued.
/// On one line; it may be folded at the blanks between its pieces.
std::string parameter(std::string_view name, std::string_view text);
/// The same in a form that older readers know, in quotes: no standard, but common. Empty: too long for it.
std::string old_parameter(std::string_view name, std::string_view text);

}  // namespace mime
