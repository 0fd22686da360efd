#include "protocols/imap/command.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"
#include "protocols/imap/errc.hpp"

namespace imap {
namespace {

constexpr std::size_t quoted_bytes_max = 512;          // longer ones go as literals
constexpr std::size_t small_literal_bytes_max = 4096;  // of LITERAL-, RFC 7888 §5

bool is_atom(std::string_view text) noexcept {
    constexpr std::string_view specials = "(){ %*\"\\]";
    return !text.empty() && !text::same(text, "NIL") && std::all_of(text.begin(), text.end(), [&](char c) {
        return c > 0x20 && c < 0x7f && specials.find(c) == std::string_view::npos;
    });
}

bool is_quotable(std::string_view text, Syntax::Quoted quoted) noexcept {
    return text.size() <= quoted_bytes_max && std::all_of(text.begin(), text.end(), [&](char c) {
               return (c >= 0x20 && c < 0x7f) || (c < 0 && quoted == Syntax::Quoted::utf8);
           });
}

}  // namespace

Command& Command::word(std::string_view text) {
    (pieces_.back() += ' ') += text;
    return *this;
}

Result<void> Command::astring(std::string_view text, Syntax syntax) {
    if (!is_atom(text)) return string(text, syntax);
    word(text);
    return {};
}

Result<void> Command::string(std::string_view text, Syntax syntax) {
    if (!is_plain_text(text)) return errc::bad_argument;
    if (is_quotable(text, syntax.quoted))
        word(quoted(text));
    else
        literal(text, syntax.literals);
    return {};
}

void Command::literal(std::string_view text, Syntax::Literals literals) {
    const bool at_once =
        literals == Syntax::Literals::all_without_waiting ||
        (literals == Syntax::Literals::small_without_waiting && text.size() <= small_literal_bytes_max);
    word('{' + std::to_string(text.size()) + (at_once ? "+}\r\n" : "}\r\n"));
    if (at_once)
        pieces_.back() += text;
    else
        pieces_.emplace_back(text);
}

std::vector<std::string> Command::pieces() && {
    pieces_.back() += "\r\n";
    return std::move(pieces_);
}

bool is_plain_text(std::string_view text) noexcept {
    constexpr std::string_view never("\0\r\n", 3);
    return text.find_first_of(never) == std::string_view::npos;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

}  // namespace imap
