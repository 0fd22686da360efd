#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mime {

/// How much of a message's header section is looked at; what lies behind it is not.
inline constexpr std::size_t header_bytes_max = 64 * 1024;

/// What tells messages apart, as it stands in the header section: raw values, trimmed, still folded and encoded.
/// Views into the message. Empty: not there. Of a field that came several times the first counts.
struct HeaderFacts {
    std::string_view message_id;
    std::string_view date;
    std::string_view from;
    std::string_view subject;
    std::string_view oldest_received;  // the last of its kind: each hop puts its own on top
    bool complete = false;             // the empty line after the header section was seen within header_bytes_max
};

/// Scans the front of a message without parsing it: a pass over at most header_bytes_max, no allocation. A field whose
/// end is not in sight (more may follow, or it is cut at the limit) is left out, so that more bytes only ever add
/// facts. CRLF and bare LF both end lines; lines that are no fields are skipped. RFC 5322 §2.2.
HeaderFacts scan_headers(std::string_view message) noexcept;

/// A value on one line: line ends go, blanks around them become one blank. RFC 5322 §2.2.3.
std::string unfolded(std::string_view value);

}  // namespace mime
