#include "protocols/mime/headers.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"

namespace mime {
namespace {

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// Where the field at the front of `section` ends: at the first line that is no continuation of it. npos: not in sight.
std::size_t field_end(std::string_view section) noexcept {
    for (std::size_t line_end = section.find('\n'); line_end != std::string_view::npos;
         line_end = section.find('\n', line_end + 1)) {
        if (line_end + 1 == section.size()) return std::string_view::npos;
        if (!is_blank(section[line_end + 1])) return line_end + 1;
    }
    return std::string_view::npos;
}

void take_first(std::string_view& fact, std::string_view value) noexcept {
    if (fact.empty()) fact = value;
}

void take_field(std::string_view field, HeaderFacts& facts) noexcept {
    // The wanted names are told apart by their first letter before anything is compared.
    const char first = text::lower(field.front());
    if (first != 'm' && first != 'd' && first != 'f' && first != 's' && first != 'r') return;
    const std::size_t colon = field.substr(0, 32).find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = text::trimmed(field.substr(0, colon));
    const std::string_view value = text::trimmed(field.substr(colon + 1));
    if (text::same(name, "Message-ID")) take_first(facts.message_id, value);
    if (text::same(name, "Date")) take_first(facts.date, value);
    if (text::same(name, "From")) take_first(facts.from, value);
    if (text::same(name, "Subject")) take_first(facts.subject, value);
    if (text::same(name, "Received")) facts.oldest_received = value;
}

}  // namespace

HeaderFacts scan_headers(std::string_view message) noexcept {
    HeaderFacts facts;
    std::string_view section = message.substr(0, header_bytes_max);
    while (!section.empty()) {
        if (section.starts_with("\r\n") || section.starts_with('\n')) {
            facts.complete = true;
            break;
        }
        const std::size_t end = field_end(section);
        if (end == std::string_view::npos) break;
        take_field(section.substr(0, end), facts);
        section.remove_prefix(end);
    }
    return facts;
}

std::string unfolded(std::string_view value) {
    std::string line;
    line.reserve(value.size());
    std::size_t feed = std::min(value.find('\n'), value.size());
    for (std::size_t at = 0; at < value.size();) {
        if (feed < at) feed = std::min(value.find('\n', at), value.size());
        const std::size_t line_end = std::min(value.substr(0, feed).find('\r', at), feed);
        line += value.substr(at, line_end - at);
        at = line_end;
        if (at == value.size()) break;
        while (!line.empty() && is_blank(line.back())) line.pop_back();
        while (at < value.size() && (is_blank(value[at]) || value[at] == '\r' || value[at] == '\n')) ++at;
        if (!line.empty() && at < value.size()) line += ' ';
    }
    return line;
}

}  // namespace mime
