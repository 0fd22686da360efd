#include "protocols/imap/parse.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/imap/cursor.hpp"
#include "protocols/imap/errc.hpp"
#include "protocols/imap/mailbox_name.hpp"

namespace imap {
namespace {

constexpr std::size_t words_bytes_max = 1000;
constexpr std::size_t attributes_max = 64;
constexpr std::size_t status_nesting_max = 4;

std::string_view without_line_end(std::string_view line) noexcept {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// The first word of `text`, which is shortened by it and by the blanks after it.
std::string_view take_word(std::string_view& text) noexcept {
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    return word;
}

/// A mailbox name that breaks the grammar: everything that is left, without a stray quote at its end.
std::string lenient_name(std::string_view rest) {
    if (rest.ends_with('"')) rest.remove_suffix(1);
    return std::string(rest);
}

}  // namespace

bool Response::is(std::string_view untagged_name) const noexcept {
    return kind == Kind::untagged && text::same(name, untagged_name);
}

Response read_response(std::string_view text) noexcept {
    text = without_line_end(text);
    Response response;
    response.rest = text;
    if (text.starts_with('+')) {
        response.kind = Response::Kind::continuation;
        response.rest = text::trimmed(text.substr(1));
        return response;
    }
    std::string_view left = text;
    const std::string_view first = take_word(left);
    const std::string_view second = take_word(left);
    if (first == "*" && !second.empty()) {
        response.kind = Response::Kind::untagged;
        response.name = second;
        response.number = text::number<std::uint32_t>(second);
        if (response.number) response.name = take_word(left);
        response.rest = left;
    } else if (!first.empty() && status_of(second)) {
        response.kind = Response::Kind::tagged;
        response.tag = first;
        response.name = second;
        response.rest = left;
    }
    return response;
}

std::optional<Status> status_of(std::string_view name) noexcept {
    if (text::same(name, "OK")) return Status::ok;
    if (text::same(name, "NO")) return Status::no;
    if (text::same(name, "BAD")) return Status::bad;
    return std::nullopt;
}

std::string_view code_in(std::string_view rest) noexcept {
    const std::size_t end = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
    return end == std::string_view::npos ? std::string_view() : rest.substr(1, end - 1);
}

StatusText read_status_text(std::string_view rest) {
    const std::string_view code = code_in(rest);
    if (!code.empty()) rest.remove_prefix(code.size() + 2);
    return {text::printable(code, words_bytes_max), text::printable(text::trimmed(rest), words_bytes_max)};
}

std::optional<std::uint32_t> number_in(std::string_view code, std::string_view name) noexcept {
    const std::string_view word = take_word(code);
    if (!text::same(word, name)) return std::nullopt;
    return text::number<std::uint32_t>(code);
}

std::optional<ListEntry> read_list_entry(std::string_view rest, NameCoding coding) {
    Cursor at{rest};
    ListEntry entry;
    if (!at.take('(')) return std::nullopt;
    for (;;) {
        at.skip_blanks();
        if (at.take(')')) break;
        const auto attribute = at.atom();
        if (!attribute || entry.attributes.size() == attributes_max) return std::nullopt;
        entry.attributes.emplace_back(*attribute);
    }
    at.skip_blanks();
    if (text::starts_with_same(at.rest, "NIL ")) {
        at.rest.remove_prefix(3);
    } else {
        const auto delimiter = at.string();
        if (!delimiter || delimiter->size() != 1) return std::nullopt;
        entry.delimiter = delimiter->front();
    }
    at.skip_blanks();
    const std::string_view name = at.rest;
    const bool quoted = name.starts_with('"') || name.starts_with('{') || name.starts_with("~{");
    auto strict = quoted ? at.string() : std::nullopt;
    at.skip_blanks();
    // After a string only the extended data of RFC 5258 may follow.
    const bool as_agreed = strict && (at.rest.empty() || at.rest.starts_with('('));
    entry.wire_name = as_agreed ? std::move(*strict) : lenient_name(name);
    if (entry.wire_name.empty() && !as_agreed) return std::nullopt;
    entry.name = coding == NameCoding::utf8 ? entry.wire_name : mailbox_name_from_utf7(entry.wire_name);
    return entry;
}

Result<void> read_uid_set(std::string_view text, std::size_t ranges_max, UidSet& found) {
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(item.size() + 1, text.size()));
        const std::size_t colon = item.find(':');
        const auto first = text::number<Uid>(item.substr(0, colon));
        const auto last = colon == std::string_view::npos ? first : text::number<Uid>(item.substr(colon + 1));
        if (!first || !last) return errc::malformed_response;
        found.add(UidRange{*first, *last});
        if (found.ranges().size() > ranges_max) return errc::too_many_responses;
    }
    return {};
}

Result<void> read_esearch(std::string_view rest, std::size_t ranges_max, UidSet& found) {
    Cursor at{rest};
    if (at.rest.starts_with('(') && !at.skip_value(1)) return errc::malformed_response;  // (TAG "A1")
    for (;;) {
        at.skip_blanks();
        if (at.rest.empty()) return {};
        const auto name = at.atom();
        if (!name) return errc::malformed_response;
        if (text::same(*name, "UID")) continue;
        at.skip_blanks();
        if (text::same(*name, "ALL")) {
            const auto set = at.atom();
            if (!set) return errc::malformed_response;
            auto read = read_uid_set(*set, ranges_max, found);
            if (!read) return read.error();
        } else if (!at.skip_value(status_nesting_max)) {
            return errc::malformed_response;
        }
    }
}

Result<Selected> read_status(std::string_view rest) {
    // The name comes first; where it breaks the grammar, the last parenthesis opens the items.
    Cursor at{rest};
    const bool named = at.astring().has_value();
    at.skip_blanks();
    if (!named || !at.rest.starts_with('(')) {
        const std::size_t open = rest.rfind('(');
        if (open == std::string_view::npos) return errc::malformed_response;
        at.rest = rest.substr(open);
    }
    at.take('(');
    Selected status;
    for (;;) {
        at.skip_blanks();
        if (at.take(')')) return status;
        const auto name = at.atom();
        at.skip_blanks();
        if (!name) return errc::malformed_response;
        const std::string_view value = at.rest;
        if (!at.skip_value(status_nesting_max)) return errc::malformed_response;
        const auto number = text::number<std::uint32_t>(value.substr(0, value.size() - at.rest.size()));
        if (!number) continue;
        if (text::same(*name, "MESSAGES")) status.exists = *number;
        if (text::same(*name, "UIDNEXT")) status.uid_next = *number;
        if (text::same(*name, "UIDVALIDITY")) status.uid_validity = *number;
    }
}

std::vector<std::string> read_capabilities(std::string_view rest, std::size_t words_max) {
    std::vector<std::string> words;
    while (!rest.empty() && words.size() < words_max) {
        std::string word(take_word(rest));
        std::transform(word.begin(), word.end(), word.begin(), text::upper);
        if (!word.empty()) words.push_back(std::move(word));
    }
    return words;
}

}  // namespace imap
