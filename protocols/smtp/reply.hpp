#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/smtp/errc.hpp"

namespace smtp {

/// RFC 3463 §2: class.subject.detail.
struct EnhancedCode {
    std::uint16_t kind = 0;  // 2, 4 or 5; the reply's own code decides when both disagree
    std::uint16_t subject = 0;
    std::uint16_t detail = 0;

    [[nodiscard]] std::string text() const;  // "5.7.60"
    [[nodiscard]] bool operator==(const EnhancedCode&) const = default;
};

/// What a server answered. Its text is safe to store and to show: valid UTF-8 without control characters (\xNN stands
/// for what was something else), no line longer than ReplyLimits::line_bytes_max on the wire.
struct Reply {
    std::uint16_t code = 0;  // 0: no reply came
    std::optional<EnhancedCode> enhanced{};
    std::vector<std::string> lines{};  // without code and enhanced code

    [[nodiscard]] bool came() const noexcept { return code != 0; }
    [[nodiscard]] bool accepted() const noexcept { return code / 100 == 2; }
    [[nodiscard]] bool asks_for_more() const noexcept { return code / 100 == 3; }
    [[nodiscard]] bool refused() const noexcept { return code >= 400; }
    [[nodiscard]] bool transient() const noexcept { return code / 100 == 4; }
    [[nodiscard]] bool says_goodbye() const noexcept { return code == 421; }
    /// "550 5.7.60 first line second line": one line, for people.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool operator==(const Reply&) const = default;
};

struct ReplyLimits {
    std::size_t line_bytes_max = 4096;  // with its code, without CRLF; RFC 5321 §4.5.3.1.5 asks for 512 with CRLF
    std::size_t lines_max = 256;
    std::size_t reply_bytes_max = 64 * 1024;  // of all its lines
};

/// A reply, when one is complete, and how many bytes of the input are done with.
struct ReadReply {
    std::optional<Reply> reply{};  // none: more bytes, please
    std::size_t used_bytes = 0;
};

/// Reads replies from bytes as they come. RFC 5321 §4.2, RFC 2034 §4. What a read did not use has to come again, with
/// more behind it; nothing is looked at twice. After an error it is of no more use.
///
/// Lines end with CRLF and with nothing else: a server that repeats an address with a bare LF in it ("550 <a\n250 ok>")
/// would say two replies otherwise. A bare CR is text.
class ReplyReader {
public:
    explicit ReplyReader(ReplyLimits limits) noexcept : limits_(limits) {}
    /// Errors: malformed_reply, reply_line_too_long, reply_too_long.
    Result<ReadReply> read(std::string_view input);
    /// Some lines of a reply were read, not its last one.
    [[nodiscard]] bool midway() const noexcept { return !reply_.lines.empty(); }

private:
    Result<bool> take_line(std::string_view line);  // true: it was the last one

    ReplyLimits limits_;
    Reply reply_;
    std::size_t reply_bytes_ = 0;
    std::size_t searched_bytes_ = 0;  // of the input, for the end of its line
};

/// Reads one reply from the front of `input`; nullopt means "more bytes, please". Errors as ReplyReader::read().
Result<std::optional<ReadReply>> read_reply(std::string_view input, ReplyLimits limits);

/// Text from outside as it may be stored and shown: valid UTF-8 stays, control characters, marks that break or turn
/// lines, and bytes that are no UTF-8 become \xNN.
std::string sanitised(std::string_view text);

}  // namespace smtp
