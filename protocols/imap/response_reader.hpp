#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/imap/types.hpp"

namespace imap {

/// Turns the bytes of a server into responses, without I/O. Bodies of FETCH answers pass through in chunks that are
/// views into the bytes handed in; nothing is allocated by a size that the server announced, and nothing is kept of a
/// FETCH answer but its FetchItem. Any split of the same bytes gives the same responses. RFC 9051 §9, RFC 3516.
///
///     for (;;) {
///         auto event = reader.read(bytes);
///         … use event …
///         bytes.remove_prefix(event->used_bytes);  // also when it is 0
///     }
class ResponseReader {
public:
    explicit ResponseReader(Limits limits) : limits_(limits) {}

    struct Event {
        enum class Kind {
            more,         // more bytes, please: those handed in, without used_bytes, and new ones behind them
            response,     // text: one response, small literals within, without the line end at its end
            body_begins,  // of item(); body_bytes of it will come
            body_bytes,   // text: a chunk of it
            fetched,      // a FETCH answer is complete: item()
            found,        // a SEARCH answer is complete: take_found()
        };
        Kind kind = Kind::more;
        std::size_t used_bytes = 0;
        std::string_view text{};  // lives as long as the bytes handed in, and until the next read()
    };
    /// What the front of `bytes` says. After an error the reader is done for.
    /// Errors: line_too_long, literal_too_long, nesting_too_deep, too_many_responses (ranges_max), malformed_response.
    Result<Event> read(std::string_view bytes);

    /// The FETCH answer that is being read or was just completed.
    [[nodiscard]] const FetchItem& item() const noexcept { return item_; }
    /// After an error: whether it struck within a FETCH answer, of which item() tells what had come.
    [[nodiscard]] bool in_fetch() const noexcept {
        return state_ != State::line && state_ != State::search && state_ != State::gathered_literal;
    }
    /// The <offset> in BODY[]<offset>; nullopt: the body from its beginning to its end.
    [[nodiscard]] std::optional<std::uint64_t> body_origin() const noexcept { return origin_; }
    /// BODY[HEADER.FIELDS (…)]: what is called the body is a part of the header.
    [[nodiscard]] bool body_is_head() const noexcept { return body_is_head_; }
    [[nodiscard]] UidSet take_found();

private:
    enum class State { line, fetch_line, quoted_body, body, skipped_literal, gathered_literal, search };
    enum class Item { none, uid, size, flags, date, email_id, body, other };

    Result<Event> step(std::string_view bytes);
    Result<Event> read_line(std::string_view bytes);
    Result<Event> read_other(std::string_view line);
    Result<Event> read_literal(std::string_view bytes);
    Result<Event> read_search(std::string_view bytes);
    /// The length of the line at the front with its end; 0: not all there.
    Result<std::size_t> find_line(std::string_view bytes);

    bool begins_fetch(std::string_view line);
    Result<Event> read_fetch(std::string_view bytes);
    Result<Event> read_quoted_body(std::string_view bytes);
    /// What the value just read means for the line: go on in it, a quoted body begins, or it ended in a literal.
    enum class Step { go_on, quoted_body, literal };
    Result<void> read_item_name(std::string_view line);
    Result<Step> read_value(std::string_view line);
    Result<Step> read_body_value(std::string_view line);
    Result<Step> skip_unfit(std::string_view line);
    Result<Step> skip_value(std::string_view line);
    Result<Step> begin_literal(std::string_view line, State state, std::uint64_t bytes_max);
    std::string_view take_word(std::string_view line) noexcept;

    Limits limits_;
    State state_ = State::line;
    std::size_t scanned_ = 0;         // bytes at the front that hold no line end
    std::size_t response_bytes_ = 0;  // of the lines of this response that were used already
    std::string gathered_;            // a response with literals in it, but for FETCH

    // Of the FETCH answer at hand.
    FetchItem item_;
    std::optional<std::uint64_t> origin_;
    Item value_of_ = Item::none;  // the item whose value comes next
    std::size_t at_ = 0;          // place in the line
    std::size_t line_bytes_ = 0;  // its length with the line end
    std::size_t depth_ = 0;       // of lists being skipped
    bool ended_ = false;          // the closing parenthesis was there
    bool saw_body_ = false;
    bool body_is_head_ = false;
    std::string unquoted_;  // a body that came as a quoted string

    std::uint64_t literal_left_ = 0;
    std::vector<UidRange> found_;
    bool found_all_ = false;  // what follows in the SEARCH answer are no numbers
};

}  // namespace imap
