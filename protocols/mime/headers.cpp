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
    while (!value.empty()) {
        const std::size_t line_end = std::min(value.find_first_of("\r\n"), value.size());
        line += value.substr(0, line_end);
        value.remove_prefix(line_end);
        if (value.empty()) break;
        while (!line.empty() && is_blank(line.back())) line.pop_back();
        value.remove_prefix(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
        if (!line.empty() && !value.empty()) line += ' ';
    }
    return line;
}

}  // namespace mime
