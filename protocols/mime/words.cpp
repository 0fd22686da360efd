#include "protocols/mime/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/base/utf8.hpp"

namespace mime {
namespace {

constexpr std::size_t line_bytes_wanted = 76;
constexpr std::size_t word_bytes_max = 45;  // 60 in base64: an encoded word has at most 75. RFC 2047 §2
constexpr std::size_t plain_word_bytes_max = 70;
constexpr std::size_t quoted_bytes_max = 60;
constexpr std::size_t section_bytes_max = 55;  // of a parameter's value
constexpr std::size_t short_value_bytes_max = 30;
constexpr std::size_t old_parameter_bytes_max = 300;

/// Pieces of whole characters.
std::vector<std::string> encoded_words(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        std::size_t bytes = 0;
        for (;;) {
            const auto point = text::first_code_point(text.substr(bytes));
            const std::size_t more = point ? point->bytes : 1;
            if (bytes + more > std::min(word_bytes_max, text.size())) break;
            bytes += more;
        }
        words.push_back(fmt::format("=?utf-8?B?{}?=", base64_encoded(text.substr(0, bytes))));
        text.remove_prefix(bytes);
    }
    return words;
}

/// Nothing in it would be taken for something else, and it can be folded.
bool stays_as_it_is(std::string_view text) {
    if (!is_plain(text) || text.find("=?") != std::string_view::npos || text.find('\t') != std::string_view::npos)
        return false;
    if (text.empty() || text.front() == ' ' || text.back() == ' ') return text.empty();
    for (const auto word : text::split(text, ' ')) {
        if (word.empty() || word.size() > plain_word_bytes_max) return false;
    }
    return true;
}

bool is_atom_text(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

/// RFC 2231 §7: attribute-char.
bool is_attribute_char(char c) noexcept {
    return is_atom_text(c) ? std::string_view("*'%=?/").find(c) == std::string_view::npos : c == '.';
}

std::string percent(char c) {
    return is_attribute_char(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
}

}  // namespace

bool is_plain(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t'; });
}

std::string unstructured(std::string_view text, std::size_t column) {
    std::string out;
    const bool plain = stays_as_it_is(text);
    std::vector<std::string> words;
    if (plain)
        for (const auto word : text::split(text, ' ')) words.emplace_back(word);
    else
        words = encoded_words(text);
    for (const auto& word : words) {
        if (column + 1 + word.size() > line_bytes_wanted && !out.empty()) {
            out += "\r\n";
            column = 0;
        }
        out += ' ' + word;
        column += 1 + word.size();
    }
    return out;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string phrase(std::string_view name) {
    const bool folds = stays_as_it_is(name);
    const bool atoms =
        folds && std::all_of(name.begin(), name.end(), [](char c) { return c == ' ' || is_atom_text(c); });
    if (atoms && name.size() <= quoted_bytes_max) return std::string(name);
    if (folds && name.size() <= quoted_bytes_max) return quoted(name);
    std::string out;
    for (const auto& word : encoded_words(name)) out += (out.empty() ? "" : "\r\n ") + word;
    return out;
}

std::string parameter(std::string_view name, std::string_view text) {
    const bool plain = is_plain(text) && text.find_first_of("\"\\%\t'") == std::string_view::npos;
    if (plain && text.size() <= short_value_bytes_max) return fmt::format("; {}={}", name, quoted(text));
    std::vector<std::string> sections(1);
    for (const char c : text) {
        if (sections.back().size() + 3 > section_bytes_max) sections.emplace_back();
        sections.back() += percent(c);
    }
    if (sections.size() == 1) return fmt::format("; {}*=utf-8''{}", name, sections.front());
    std::string out;
    for (std::size_t number = 0; number < sections.size(); ++number)
        out += fmt::format("; {}*{}*={}{}", name, number, number == 0 ? "utf-8''" : "", sections[number]);
    return out;
}

std::string old_parameter(std::string_view name, std::string_view text) {
    if (text.size() > old_parameter_bytes_max) return {};
    if (is_plain(text) && text.find("=?") == std::string_view::npos) return fmt::format("; {}={}", name, quoted(text));
    return fmt::format("; {}=\"{}\"", name, fmt::join(encoded_words(text), " "));
}

}  // namespace mime
