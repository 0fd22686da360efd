#pragma once
/// What the HTTP targets share: a reader fed as connections feed it.

#include <algorithm>
#include <string>
#include <string_view>

#include "protocols/base/text.hpp"
#include "protocols/http/reader.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace fuzz {

// Small, so that small inputs reach them.
inline constexpr http::Limits http_limits{.header_bytes_max = 600, .body_bytes_max = 500};

/// Feeds `reader` from the front of `input` until it is finished or the input is spent; takes off what was used.
template <class Reader>
Result<void> feed(Reader& reader, std::string_view& input, Arrival arrival) {
    std::string unread;
    for (const auto piece : split(input, arrival)) {
        unread += piece;
        const auto used = reader.take_in(unread);
        if (!used) return used.error();
        expect(*used <= unread.size(), "no more is used than there is");
        unread.erase(0, *used);
        if (reader.finished()) {
            const auto left = static_cast<std::size_t>(input.data() + input.size() - piece.data()) - piece.size();
            input.remove_prefix(input.size() - left - unread.size());
            return {};
        }
        expect(unread.size() <= http_limits.header_bytes_max, "what is kept unread has a limit");
    }
    input = {};
    return {};
}

/// Those that a sender may name; the others belong to the connection.
inline http::Headers own_headers(const http::Headers& headers, bool with_content_type) {
    http::Headers own;
    for (const auto& header : headers) {
        const bool of_connection = text::same(header.first, "Content-Length") ||
                                   text::same(header.first, "Transfer-Encoding") ||
                                   text::same(header.first, "Connection") || text::same(header.first, "Host");
        if (!of_connection && (with_content_type || !text::same(header.first, "Content-Type"))) own.push_back(header);
    }
    return own;
}

inline std::string words_of(const http::Headers& headers) {
    std::string words;
    for (const auto& [name, value] : headers) words += name + ": " + value + "\n";
    return words;
}

}  // namespace fuzz
