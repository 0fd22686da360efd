#pragma once

#include <string>
#include <string_view>

/// Text in whatever charset becomes UTF-8. Nothing here fails: what cannot be converted is U+FFFD.
namespace mime {

/// Whether all of it is UTF-8 (RFC 3629). ASCII is, too.
bool is_utf8(std::string_view bytes) noexcept;
bool is_ascii(std::string_view bytes) noexcept;

/// Text as UTF-8, and what it was read as.
struct Text {
    std::string utf8{};
    std::string charset{};  // lower case: "windows-1252"
    bool detected = false;  // nothing was declared that it could be
    bool damaged = false;   // bytes that are none of the charset's: each became U+FFFD
};

/// Whether a charset of that name (or alias, in any case) is known.
bool is_charset(std::string_view name);

/// `declared` may be empty or nonsense; `likely`, the charset of text beside it, too: then the charset is detected.
/// What mail programs mean by a name counts, not its letter: iso-8859-1 is windows-1252, gb2312 is gb18030, ….
/// A declaration that cannot be true (8-bit bytes in us-ascii, not one character of utf-8) does not count.
Text decoded_text(std::string_view bytes, std::string_view declared, std::string_view likely = {});

/// What undeclared bytes are: us-ascii, utf-8, iso-2022-jp by its escapes, `likely` when they are valid in it, what
/// statistics are sure of when there is enough to count, else windows-1252.
std::string detected_charset(std::string_view bytes, std::string_view likely = {});

/// The charset that an HTML document names in its first bytes; empty: none.
std::string charset_of_html(std::string_view html);

}  // namespace mime
