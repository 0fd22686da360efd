#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mime/entity.hpp"
#include "protocols/mime/parameters.hpp"

namespace mime {

/// How far a mail is read. What goes beyond makes it unreadable, and costs no more than reading up to there.
struct Limits {
    std::size_t depth_max = 50;                     // of parts in parts
    std::size_t parts_max = 2000;                   // of the whole mail
    std::size_t header_bytes_max = 256 * 1024;      // of the mail's own header section
    std::size_t fields_max = 2000;                  // the same
    std::size_t part_header_bytes_max = 64 * 1024;  // of each part's
};

/// A field of a header section: views into the mail. Lines may end with LF alone.
struct HeaderField {
    std::string_view name;   // without blanks
    std::string_view value;  // behind the colon, trimmed, still folded
};

/// The header section at the front of `bytes`. Lines that are no field are passed over where a field follows (a mark of
/// mbox, a continuation that is not indented), else the section ends there.
struct HeaderSection {
    std::vector<HeaderField> fields{};
    std::size_t bytes = 0;  // of the section with its empty line
    bool too_long = false;  // more bytes or fields than the limits: what was read is there
    bool broken = false;    // it had lines that are no fields
    bool complete = false;  // its empty line was seen
    /// The first of that name; nullptr: none.
    [[nodiscard]] const HeaderField* field(std::string_view name) const noexcept;
    [[nodiscard]] std::string_view value(std::string_view name) const noexcept;
};
HeaderSection read_header_section(std::string_view bytes, const Limits& limits);

/// A mail or a part of one.
struct Part {
    enum class Kind { leaf, multipart, message } kind = Kind::leaf;
    std::size_t parent = 0;  // its place among Parts::all; of the mail itself: 0
    std::size_t depth = 0;
    HeaderSection head{};
    Parameters type{};         // value: "text/plain"
    Parameters disposition{};  // value: "attachment"; empty: none
    Entity::Encoding encoding = Entity::Encoding::identity;
    std::string_view body{};  // as it stands there, of a composite with all that is in it
};

/// A mail's parts, each behind its parent, in the order of the mail: views into the mail.
struct Parts {
    std::vector<Part> all{};         // at least one: the mail itself
    std::string unreadable_because;  // empty: it was read whole
    bool unended = false;            // a multipart without its last boundary: cut off
};

/// Reads a mail's structure in memory, whatever it is: one pass, linear, bounded by the limits. Unlike Structure, which
/// must not change a mail that two readers may understand differently, it reads as mail programs do: lines that end
/// with LF, headers with broken lines, a boundary that something stands behind.
Parts read_parts(std::string_view mail, const Limits& limits);

/// Its bytes, decoded; at most `bytes_max`.
std::string decoded_body(const Part& part, std::size_t bytes_max = std::string::npos);
/// How many they are, without decoding where that can be counted.
std::size_t decoded_body_bytes(const Part& part);

}  // namespace mime
