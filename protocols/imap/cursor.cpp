#include "protocols/imap/cursor.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"

namespace imap {
namespace {

constexpr std::string_view digits = "0123456789";

}  // namespace

void Cursor::skip_blanks() noexcept { rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size())); }

bool Cursor::take(char wanted) noexcept {
    if (rest.empty() || rest.front() != wanted) return false;
    rest.remove_prefix(1);
    return true;
}

std::optional<std::string_view> Cursor::atom() noexcept {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t()\r\n"));
    if (word.empty()) return std::nullopt;
    rest.remove_prefix(word.size());
    return word;
}

std::optional<std::uint64_t> Cursor::number() noexcept {
    const auto value = text::number<std::uint64_t>(rest.substr(0, rest.find_first_not_of(digits)));
    if (value) rest.remove_prefix(std::min(rest.find_first_not_of(digits), rest.size()));
    return value;
}

std::optional<std::string> Cursor::string() {
    if (rest.starts_with('"')) {
        std::string value;
        for (std::size_t at = 1; at < rest.size(); ++at) {
            if (rest[at] == '"') {
                rest.remove_prefix(at + 1);
                return value;
            }
            if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
            value += rest[at];
        }
        return std::nullopt;
    }
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    const auto announced = literal_announced(line);
    if (!announced || announced->text_bytes != line.size() || !announced->bytes) return std::nullopt;
    std::string_view after = rest.substr(line.size());
    after.remove_prefix(after.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, after.size()));
    if (*announced->bytes > after.size()) return std::nullopt;
    const auto bytes = static_cast<std::size_t>(*announced->bytes);
    rest = after.substr(bytes);
    return std::string(after.substr(0, bytes));
}

std::optional<std::string> Cursor::astring() {
    if (rest.starts_with('"') || rest.starts_with('{') || rest.starts_with("~{")) return string();
    const auto word = atom();
    if (!word) return std::nullopt;
    return std::string(*word);
}

bool Cursor::skip_value(std::size_t nesting_max) {
    const std::string_view before = rest;
    std::size_t depth = 0;
    do {
        skip_blanks();
        if (take('(')) {
            ++depth;
        } else if (depth > 0 && take(')')) {
            --depth;
        } else if (!astring()) {
            depth = nesting_max + 1;
        }
        if (depth > nesting_max) {
            rest = before;
            return false;
        }
    } while (depth > 0);
    return true;
}

std::optional<Announced> literal_announced(std::string_view line) noexcept {
    if (!line.ends_with('}')) return std::nullopt;
    const std::size_t open = line.rfind('{');
    if (open == std::string_view::npos) return std::nullopt;
    std::string_view count = line.substr(open + 1, line.size() - open - 2);
    if (count.ends_with('+')) count.remove_suffix(1);
    if (count.empty() || count.find_first_not_of(digits) != std::string_view::npos) return std::nullopt;
    Announced announced{text::number<std::uint64_t>(count), line.size() - open};
    if (open > 0 && line[open - 1] == '~') ++announced.text_bytes;
    return announced;
}

}  // namespace imap
