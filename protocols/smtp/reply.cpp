#include "protocols/smtp/reply.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocols/base/text.hpp"
#include "protocols/base/utf8.hpp"

namespace smtp {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Takes "5.7.60 " off the front of `text`; nullopt: there is none.
std::optional<EnhancedCode> take_enhanced_code(std::string_view& text) noexcept {
    const std::string_view word = text.substr(0, text.find(' '));
    const std::size_t first_dot = word.find('.');
    if (first_dot != 1) return std::nullopt;
    const std::size_t second_dot = word.find('.', 2);
    if (second_dot == std::string_view::npos) return std::nullopt;
    const std::string_view subject = word.substr(2, second_dot - 2);
    const std::string_view detail = word.substr(second_dot + 1);
    if (subject.size() > 3 || detail.size() > 3) return std::nullopt;
    const auto kind = text::number<std::uint16_t>(word.substr(0, 1));
    const auto subject_number = text::number<std::uint16_t>(subject);
    const auto detail_number = text::number<std::uint16_t>(detail);
    if (!kind || !subject_number || !detail_number) return std::nullopt;
    if (*kind != 2 && *kind != 4 && *kind != 5) return std::nullopt;
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return EnhancedCode{*kind, *subject_number, *detail_number};
}

}  // namespace

std::string EnhancedCode::text() const {
    return std::to_string(kind) + '.' + std::to_string(subject) + '.' + std::to_string(detail);
}

std::string Reply::text() const {
    if (!came()) return "no reply";
    std::string out = std::to_string(code);
    if (enhanced) out += ' ' + enhanced->text();
    for (const std::string& line : lines)
        if (!line.empty()) out += ' ' + line;
    return out;
}

Result<ReadReply> ReplyReader::read(std::string_view input) {
    std::size_t used_bytes = 0;
    for (;;) {
        const std::string_view rest = input.substr(used_bytes);
        const std::size_t end = rest.find('\n', searched_bytes_);
        const std::size_t seen = end == std::string_view::npos ? rest.size() : end + 1;
        if (seen > limits_.line_bytes_max + 2) return errc::reply_line_too_long;
        searched_bytes_ = seen;
        if (end == std::string_view::npos) return ReadReply{std::nullopt, used_bytes};
        if (end == 0 || rest[end - 1] != '\r') return errc::malformed_reply;
        const auto last = take_line(rest.substr(0, end - 1));
        if (!last) return last.error();
        used_bytes += seen;
        searched_bytes_ = 0;
        if (*last) {
            reply_bytes_ = 0;
            return ReadReply{std::exchange(reply_, Reply{}), used_bytes};
        }
    }
}

Result<bool> ReplyReader::take_line(std::string_view line) {
    const bool numbered =
        line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) && is_digit(line[2]);
    if (!numbered) return errc::malformed_reply;
    const char separator = line.size() == 3 ? ' ' : line[3];
    if (separator != ' ' && separator != '-') return errc::malformed_reply;
    const auto code = static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    if (midway() && code != reply_.code) return errc::malformed_reply;
    reply_bytes_ += line.size();
    if (reply_.lines.size() == limits_.lines_max || reply_bytes_ > limits_.reply_bytes_max) return errc::reply_too_long;

    std::string_view text = line.substr(std::min<std::size_t>(4, line.size()));
    const std::string_view whole = text;
    const auto enhanced = code / 100 == 3 ? std::nullopt : take_enhanced_code(text);
    if (!midway()) reply_.enhanced = enhanced;
    if (enhanced && reply_.enhanced != enhanced) text = whole;  // another one than the first line's: part of the text
    reply_.code = code;
    reply_.lines.push_back(sanitised(text));
    return separator == ' ';
}

Result<std::optional<ReadReply>> read_reply(std::string_view input, ReplyLimits limits) {
    auto read = ReplyReader(limits).read(input);
    if (!read) return read.error();
    if (!read->reply) return std::optional<ReadReply>();
    return std::optional<ReadReply>(std::move(*read));
}

std::string sanitised(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    const auto escape = [&](std::string_view bytes) {
        for (const char c : bytes) {
            const auto code = static_cast<unsigned char>(c);
            out += "\\x";
            out += hex[code >> 4U];
            out += hex[code & 15U];
        }
    };
    while (!text.empty()) {
        const auto point = text::first_code_point(text);
        const std::string_view taken = text.substr(0, point ? point->bytes : 1);
        if (point && text::is_printable(point->value)) {
            out += taken;
        } else {
            escape(taken);
        }
        text.remove_prefix(taken.size());
    }
    return out;
}

}  // namespace smtp
