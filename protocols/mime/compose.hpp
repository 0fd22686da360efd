#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mime {

/// Somebody a letter is from or to.
struct Correspondent {
    std::string name{};  // UTF-8; may be empty
    std::string address;
};

struct Enclosure {
    std::string file_name{};                                // UTF-8; empty: none
    std::string content_type = "application/octet-stream";  // with a charset, or without
    std::string base64{};                                   // its bytes, encoded, without line ends
    std::string content_id{};                               // without brackets; empty: none
    bool is_inline = false;                                 // shown by the HTML that names its id
};

/// What a mail is made of. Texts are UTF-8. No field has a CR, LF or NUL, but for line ends in both texts; addresses,
/// ids, types and names of fields are checked: whoever fills it in sees to that.
struct Letter {
    Correspondent from;
    std::vector<Correspondent> to{}, cc{}, reply_to{};
    std::string subject{};
    std::optional<std::string> text{}, html{};
    std::vector<Enclosure> enclosures{};
    std::vector<std::pair<std::string, std::string>> fields{};             // unstructured
    std::vector<std::pair<std::string, std::string>> structured_fields{};  // ASCII; folded at blanks and nowhere else
    std::vector<std::string> in_reply_to{}, references{};                  // with brackets
};

/// The mail without Date and Message-ID: ASCII but for addresses that are not, in short lines. Both texts are
/// alternatives; what HTML shows is related to it; all else is attached (RFC 2046, 2183, 2387, 2392). `mark` is one
/// word that no other mail has: boundaries are made of it.
std::string composed(Letter letter, std::string_view mark);

}  // namespace mime
