#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace smtp {

/// Reads the lines that a client says, from bytes as they come. RFC 5321 §2.3.8: lines end with CRLF and with nothing
/// else; a CR or LF by itself is a fault that ends the session, because nobody can tell how many lines it made.
class LineReader {
public:
    enum class Fault { none, too_long, bare_line_end };
    struct Line {
        std::string text{};  // without CRLF; may hold any other byte
        Fault fault = Fault::none;
    };
    /// Takes bytes off the front of `input`, up to the end of one line at most. nullopt: all were taken, more bytes,
    /// please. A line of more than `bytes_max` bytes with its CRLF is too_long; the rest of it is passed over, and what
    /// is kept of it never exceeds the limit.
    std::optional<Line> read(std::string_view& input, std::size_t bytes_max);
    /// Of a line that has not ended.
    [[nodiscard]] std::size_t passed_over_bytes() const noexcept { return passed_over_bytes_; }

private:
    std::string line_;
    std::size_t passed_over_bytes_ = 0;
};

}  // namespace smtp
