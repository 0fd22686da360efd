#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/pop3/types.hpp"

namespace pop3 {

/// Turns the bytes of a server into answers, without I/O. Nothing is kept of a message: its bytes pass through in
/// chunks that are views into the bytes handed in, without the dots that the server has stuffed. Any split of the same
/// bytes gives the same answers. Line ends are CRLF and nothing else: what ends a message cannot stand in it.
/// RFC 1939 §3.
///
///     reader.expect(ResponseReader::Shape::body);
///     for (;;) {
///         auto event = reader.read(bytes);
///         … use event …
///         bytes.remove_prefix(event->used_bytes);  // also when it is 0
///     }
class ResponseReader {
public:
    explicit ResponseReader(Limits limits) : limits_(limits) {}

    /// What follows a status line that says +OK. What follows is said before each answer.
    enum class Shape {
        status,  // nothing
        lines,   // a listing, or capabilities
        body,    // a message, or its head
    };
    void expect(Shape shape) noexcept;

    struct Event {
        enum class Kind {
            more,        // more bytes, please: those handed in, without used_bytes, and new ones behind them
            status,      // text: a status line or a continuation, without its end
            line,        // text: one line of a listing
            body_bytes,  // text: a chunk of a message
            end,         // of the listing or message
        };
        Kind kind = Kind::more;
        std::size_t used_bytes = 0;
        std::string_view text{};  // lives as long as the bytes handed in
    };
    /// What the front of `bytes` says. After an error the reader is done for.
    /// Errors: line_too_long, body_too_long, too_many_lines, malformed_response (a line that ends in a bare LF).
    Result<Event> read(std::string_view bytes);

private:
    Result<Event> read_status(std::string_view bytes);
    Result<Event> read_listed(std::string_view bytes);
    Result<Event> read_body(std::string_view bytes);
    /// The length of the line at the front without its end; nullopt: not all there.
    Result<std::size_t> find_line(std::string_view bytes);

    static constexpr std::size_t not_all_there = static_cast<std::size_t>(-1);
    enum class State { status, lines, body };
    enum class Place { line_begin, behind_cr, within };  // in a message

    Limits limits_;
    Shape shape_ = Shape::status;
    State state_ = State::status;
    std::size_t scanned_ = 0;  // bytes at the front that hold no line end
    std::size_t lines_ = 0;
    std::uint64_t body_bytes_ = 0;
    Place place_ = Place::line_begin;
};

}  // namespace pop3
