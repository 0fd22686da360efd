#include "tools/rohrpost-sim/imap_command.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace sim {

namespace {

std::string uppered(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(), text::upper);
    return upper;
}

/// A quoted string at the front of `rest`, which loses it.
std::optional<std::string> take_quoted(std::string_view& rest) {
    std::string word;
    for (std::size_t at = 1; at < rest.size(); ++at) {
        if (rest[at] == '"') {
            rest.remove_prefix(at + 1);
            return word;
        }
        if (rest[at] == '\\' && ++at == rest.size()) return std::nullopt;
        word += rest[at];
    }
    return std::nullopt;
}

std::optional<std::string> take_literal(std::string_view& rest) {
    const std::size_t end = rest.find("\r\n");
    const auto announced = announced_literal(rest.substr(0, end));
    if (!announced || rest.size() < end + 2 + announced->bytes) return std::nullopt;
    std::string word(rest.substr(end + 2, announced->bytes));
    rest.remove_prefix(end + 2 + announced->bytes);
    return word;
}

/// Up to the next blank outside of parentheses and brackets.
std::optional<std::string> take_atom(std::string_view& rest) {
    int depth = 0;
    std::size_t at = 0;
    for (; at < rest.size() && (depth > 0 || rest[at] != ' '); ++at) {
        if (rest[at] == '(' || rest[at] == '[') ++depth;
        if (rest[at] == ')' || rest[at] == ']') --depth;
    }
    if (depth != 0) return std::nullopt;
    std::string word(rest.substr(0, at));
    rest.remove_prefix(at);
    return word;
}

std::optional<std::string> take_word(std::string_view& rest) {
    if (rest.front() == '"') return take_quoted(rest);
    if (rest.front() == '{') return take_literal(rest);
    return take_atom(rest);
}

std::optional<std::uint32_t> number_or_star(std::string_view text, std::uint32_t largest) {
    return text == "*" ? largest : text::number<std::uint32_t>(text);
}

std::optional<Wanted::Section> read_section(std::string_view item, std::string_view opening, bool sets_seen) {
    Wanted::Section section;
    section.sets_seen = sets_seen;
    const std::size_t end = item.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = item.substr(opening.size(), end - opening.size());
    const std::size_t list = inside.find('(');
    section.name = text::trimmed(inside.substr(0, list));
    if (list != std::string_view::npos)
        for (const std::string_view field : text::split(inside.substr(list + 1, inside.rfind(')') - list - 1), ' '))
            section.fields.emplace_back(field);
    std::string_view rest = item.substr(end + 1);
    if (rest.empty()) return section;
    const std::size_t dot = rest.find('.');
    if (rest.front() != '<' || rest.back() != '>' || dot == std::string_view::npos) return std::nullopt;
    const auto offset = text::number<std::uint64_t>(rest.substr(1, dot - 1));
    const auto bytes = text::number<std::uint64_t>(rest.substr(dot + 1, rest.size() - dot - 2));
    if (!offset || !bytes) return std::nullopt;
    section.partial = true;
    section.offset = *offset;
    section.bytes = *bytes;
    return section;
}

bool add_item(std::string_view item, Wanted& wanted) {
    constexpr std::string_view peek = "BODY.PEEK[";
    constexpr std::string_view body = "BODY[";
    if (item == "UID") return wanted.uid = true;
    if (item == "FLAGS") return wanted.flags = true;
    if (item == "INTERNALDATE") return wanted.internal_date = true;
    if (item == "RFC822.SIZE") return wanted.size = true;
    if (item == "X-GM-MSGID") return wanted.email_id = true;
    if (item == "FAST") return wanted.flags = wanted.internal_date = wanted.size = true;
    const bool peeks = item.starts_with(peek);
    if (!peeks && !item.starts_with(body)) return false;
    auto section = read_section(item, peeks ? peek : body, !peeks);
    if (!section) return false;
    wanted.sections.push_back(std::move(*section));
    return true;
}

struct NamedFlag {
    Flag flag;
    std::string_view name;
};
constexpr std::array<NamedFlag, 5> named_flags{
    {{seen, "\\Seen"}, {answered, "\\Answered"}, {flagged, "\\Flagged"}, {deleted, "\\Deleted"}, {draft, "\\Draft"}}};

/// What stands after "auth=Bearer " up to the separator.
std::optional<std::string> bearer_of(std::string_view bytes) {
    constexpr std::string_view mark =
        "\x01"
        "auth=Bearer ";
    const std::size_t at = bytes.find(mark);
    if (at == std::string_view::npos || !bytes.ends_with("\x01\x01")) return std::nullopt;
    const std::string_view rest = bytes.substr(at + mark.size());
    return std::string(rest.substr(0, rest.find('\x01')));
}

}  // namespace

std::optional<Command> read_command(std::string_view line) {
    Command command;
    std::string_view rest = line;
    while (!rest.empty()) {
        if (rest.front() == ' ') {
            rest.remove_prefix(1);
            continue;
        }
        auto word = take_word(rest);
        if (!word) return std::nullopt;
        if (command.tag.empty())
            command.tag = std::move(*word);
        else if (command.verb.empty())
            command.verb = uppered(*word);
        else if (command.verb == "UID")
            command.verb += " " + uppered(*word);
        else
            command.words.push_back(std::move(*word));
    }
    if (command.tag.empty() || command.verb.empty()) return std::nullopt;
    return command;
}

std::optional<Announced> announced_literal(std::string_view line) {
    const std::size_t open = line.rfind('{');
    if (open == std::string_view::npos || !line.ends_with('}')) return std::nullopt;
    std::string_view digits = line.substr(open + 1, line.size() - open - 2);
    const bool waits = !digits.ends_with('+');
    if (!waits) digits.remove_suffix(1);
    const auto bytes = text::number<std::size_t>(digits);
    if (!bytes) return std::nullopt;
    return Announced{*bytes, waits};
}

std::optional<std::vector<Range>> read_set(std::string_view set, std::uint32_t largest) {
    std::vector<Range> ranges;
    for (const std::string_view piece : text::split(set, ',')) {
        const std::size_t colon = piece.find(':');
        const auto first = number_or_star(piece.substr(0, colon), largest);
        const auto last = colon == std::string_view::npos ? first : number_or_star(piece.substr(colon + 1), largest);
        if (!first || !last) return std::nullopt;
        ranges.push_back({std::min(*first, *last), std::max(*first, *last)});
    }
    return ranges;
}

std::optional<Wanted> read_wanted(std::string_view items) {
    std::string upper = uppered(items);
    std::string_view rest = upper;
    if (rest.starts_with('(') && rest.ends_with(')')) rest = rest.substr(1, rest.size() - 2);
    Wanted wanted;
    while (!rest.empty()) {
        const auto item = take_atom(rest);
        if (!item || !add_item(*item, wanted)) return std::nullopt;
        rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
    }
    return wanted;
}

std::optional<Credentials> read_xoauth2(std::string_view bytes) {
    auto token = bearer_of(bytes);
    if (!token || !bytes.starts_with("user=")) return std::nullopt;
    return Credentials{std::string(bytes.substr(5, bytes.find('\x01') - 5)), std::move(*token)};
}

std::optional<Credentials> read_oauthbearer(std::string_view bytes) {
    auto token = bearer_of(bytes);
    const std::size_t end = bytes.find(",\x01");
    if (!token || !bytes.starts_with("n,a=") || end == std::string_view::npos) return std::nullopt;
    return Credentials{std::string(bytes.substr(4, end - 4)), std::move(*token)};
}

std::optional<Credentials> read_plain(std::string_view bytes) {
    const auto parts = text::split(bytes, '\0');
    if (parts.size() != 3) return std::nullopt;
    return Credentials{std::string(parts[1]), std::string(parts[2])};
}

std::string internal_date(std::uint32_t seconds) {
    return fmt::format("{:%d-%b-%Y %H:%M:%S} +0000", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string flags_text(std::uint8_t flags) {
    std::string list;
    for (const NamedFlag& one : named_flags)
        if ((flags & one.flag) != 0) list += fmt::format("{}{}", list.empty() ? "" : " ", one.name);
    return list;
}

std::uint8_t read_flags(std::string_view list) {
    unsigned flags = 0;
    for (const NamedFlag& one : named_flags)
        if (text::find_same(list, one.name) != std::string_view::npos) flags |= one.flag;
    return static_cast<std::uint8_t>(flags);
}

std::string section_of(std::string_view message, const Wanted::Section& section) {
    const std::size_t blank = message.find("\r\n\r\n");
    const std::size_t header_end = blank == std::string_view::npos ? message.size() : blank + 4;
    std::string found;
    if (section.name == "HEADER") {
        found = message.substr(0, header_end);
    } else if (section.name == "TEXT") {
        found = message.substr(header_end);
    } else if (section.name == "HEADER.FIELDS") {
        for (std::size_t at = 0; at < header_end;) {
            std::size_t end = std::min(message.find("\r\n", at), header_end - 2) + 2;
            while (end < header_end && (message[end] == ' ' || message[end] == '\t'))
                end = std::min(message.find("\r\n", end), header_end - 2) + 2;
            const std::string_view line = message.substr(at, end - at);
            const std::string_view name = line.substr(0, line.find(':'));
            if (std::any_of(section.fields.begin(), section.fields.end(),
                            [&](const std::string& field) { return text::same(field, name); }))
                found += line;
            at = end;
        }
        found += "\r\n";
    } else {
        found = message;
    }
    if (!section.partial) return found;
    return section.offset >= found.size() ? std::string() : found.substr(section.offset, section.bytes);
}

}  // namespace sim
