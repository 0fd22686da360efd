#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mime {

/// A field of a header section, as it stands there.
struct Field {
    std::string_view name;   // trimmed
    std::string_view value;  // behind the colon, still folded
    std::string_view whole;  // with its line ends
};
/// Takes the first field off a section whose lines end with CRLF; nullopt: at its empty line or end.
std::optional<Field> take_field(std::string_view& section);

/// What a body's header says of it. RFC 2045, 2046.
struct Entity {
    enum class Kind { leaf, multipart, message } kind = Kind::leaf;
    enum class Encoding { identity, quoted_printable, base64, unknown };
    std::size_t number = 0;           // in order of appearance; the mail itself is 0
    bool root = false;                // the mail itself, or that of a message/rfc822
    std::string type = "text/plain";  // lower case
    std::string boundary{};           // of a multipart
    Encoding encoding = Encoding::identity;
    bool labelled_beyond_seven_bit = false;  // 8bit or binary
    bool has_version = false;                // MIME-Version
    bool has_type = false;
    bool has_encoding = false;
    bool readable = true;  // else readers may differ in what it is: it may be looked at, not changed
    bool sealed = false;   // within multipart/signed or multipart/encrypted
    bool too_deep = false;

    [[nodiscard]] bool is_text() const { return type.starts_with("text/") || type.starts_with("message/global"); }
    /// Neither it nor what lies in it has an encoding of its own. RFC 2046 §5.2, RFC 2045 §6.4.
    [[nodiscard]] bool is_composite() const {
        return type.starts_with("multipart/") || (type.starts_with("message/") && !type.starts_with("message/global"));
    }
};

enum class DefaultType { text_plain, message_rfc822 };  // the latter in multipart/digest

/// Reads a header section with CRLF line ends, its empty line included or not. Linear in it.
Entity entity_of(std::string_view section, DefaultType standard);

constexpr std::size_t boundary_bytes_max = 200;  // RFC 2046: 70

}  // namespace mime
