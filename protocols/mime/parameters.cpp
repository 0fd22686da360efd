#include "protocols/mime/parameters.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "protocols/base/text.hpp"
#include "protocols/mime/charsets.hpp"
#include "protocols/mime/encoded_words.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/mime/transfer_decoding.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t parameters_max = 100;
constexpr std::size_t sections_max = 1000;

/// "name*2*": the third section of a value, with percent codes. RFC 2231 §4.1.
struct Name {
    std::string name;
    std::optional<std::size_t> section;
    bool extended = false;
};

Name name_of(std::string_view raw) {
    Name name;
    if (raw.ends_with('*')) {
        name.extended = true;
        raw.remove_suffix(1);
    }
    const auto star = raw.rfind('*');
    if (star != npos) {
        const auto section = text::number<std::size_t>(raw.substr(star + 1));
        if (section && *section < sections_max) {
            name.section = section;
            raw = raw.substr(0, star);
        }
    }
    name.name = text::lowered(text::trimmed(raw));
    return name;
}

std::string percent_decoded(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = text[at] == '%' ? hex_byte(text.substr(at + 1, 2)) : std::nullopt;
        bytes += byte ? *byte : text[at];
        if (byte) at += 2;
    }
    return bytes;
}

/// One section of a value.
struct Section {
    std::string text;
    bool extended = false;
};

struct Collected {
    std::optional<std::string> plain;
    std::map<std::size_t, Section> sections;
};

std::string joined(const std::map<std::size_t, Section>& sections, std::string_view likely) {
    std::string charset;
    std::string bytes;
    std::size_t expected = 0;
    for (const auto& [number, section] : sections) {
        if (number != expected++) break;  // what follows a gap is not known to follow
        std::string_view text = section.text;
        if (number == 0 && section.extended) {
            const auto first = text.find('\'');
            const auto second = first == npos ? npos : text.find('\'', first + 1);
            if (second != npos) {
                charset = text.substr(0, first);
                text.remove_prefix(second + 1);
            }
        }
        bytes += section.extended ? percent_decoded(text) : std::string(text);
    }
    return without_controls(decoded_text(bytes, charset, likely).utf8);
}

/// Takes pieces off the front of a value on one line.
class Reader {
public:
    explicit Reader(std::string_view line) : left_(line) {}

    [[nodiscard]] bool finished() const { return left_.empty(); }

    /// Up to the next ";", without comments.
    std::string take_value() {
        std::string value;
        while (!left_.empty() && left_.front() != ';') {
            if (left_.front() == '(') {
                skip_comment();
                continue;
            }
            value += left_.front();
            left_.remove_prefix(1);
        }
        skip_semicolons();
        return value;
    }

    /// A parameter's name and value, without quotes; an empty name: none was there.
    std::pair<std::string, std::string> take_parameter() {
        skip_blanks();
        std::size_t name_end = 0;
        while (name_end < left_.size() && left_[name_end] != '=' && left_[name_end] != ';') ++name_end;
        std::string name(text::trimmed(left_.substr(0, name_end)));
        left_.remove_prefix(name_end);
        std::string value;
        if (left_.starts_with('=')) {
            left_.remove_prefix(1);
            skip_blanks();
            value = left_.starts_with('"') ? take_quoted() : take_bare();
        } else {
            name.clear();
        }
        const auto rest = std::min(left_.find(';'), left_.size());
        left_.remove_prefix(rest);
        skip_semicolons();
        return {std::move(name), std::move(value)};
    }

private:
    void skip_blanks() {
        while (!left_.empty()) {
            const auto blanks = std::min(left_.find_first_not_of(" \t"), left_.size());
            left_.remove_prefix(blanks);
            if (!left_.starts_with('(')) return;
            skip_comment();
        }
    }
    void skip_semicolons() { left_.remove_prefix(std::min(left_.find_first_not_of("; \t"), left_.size())); }
    void skip_comment() {
        std::size_t depth = 0;
        std::size_t at = 0;
        for (; at < left_.size(); ++at) {
            if (left_[at] == '\\')
                ++at;
            else if (left_[at] == '(')
                ++depth;
            else if (left_[at] == ')' && --depth == 0)
                break;
        }
        left_.remove_prefix(std::min(at + 1, left_.size()));
    }
    std::string take_quoted() {
        std::string value;
        std::size_t at = 1;
        for (; at < left_.size() && left_[at] != '"'; ++at) {
            // A backslash before anything else is a path of Windows.
            const bool escapes =
                left_[at] == '\\' && at + 1 < left_.size() && (left_[at + 1] == '"' || left_[at + 1] == '\\');
            if (escapes) ++at;
            value += left_[at];
        }
        left_.remove_prefix(std::min(at + 1, left_.size()));
        return value;
    }
    /// Without quotes: up to ";", blanks are part of it ("name=my file.pdf").
    std::string take_bare() {
        const auto end = std::min(left_.find(';'), left_.size());
        std::string value(text::trimmed(left_.substr(0, end)));
        left_.remove_prefix(end);
        // A comment behind a token.
        if (value.ends_with(')') && value.find(" (") != npos) value.erase(value.find(" ("));
        return value;
    }

    std::string_view left_;
};

}  // namespace

std::string_view Parameters::at(std::string_view name) const noexcept {
    for (const auto& [known, text] : named) {
        if (known == name) return text;
    }
    return {};
}

Parameters read_parameters(std::string_view value, std::string_view likely) {
    const std::string line = unfolded(text::trimmed(value));
    Reader reader(line);
    Parameters parameters;
    const auto first = decoded_text(reader.take_value(), {}, likely).utf8;
    parameters.value = text::lowered(text::trimmed(without_controls(first)));
    std::vector<std::pair<std::string, Collected>> found;
    for (std::size_t count = 0; count < parameters_max && !reader.finished(); ++count) {
        auto [raw_name, text] = reader.take_parameter();
        if (raw_name.empty()) continue;
        auto name = name_of(raw_name);
        auto entry = std::find_if(found.begin(), found.end(), [&](const auto& one) { return one.first == name.name; });
        if (entry == found.end()) entry = found.insert(found.end(), {name.name, {}});
        if (name.section || name.extended)
            entry->second.sections.try_emplace(name.section.value_or(0), Section{std::move(text), name.extended});
        else if (!entry->second.plain)
            entry->second.plain = std::move(text);
    }
    for (auto& [name, collected] : found) {
        const bool in_sections = collected.sections.contains(0);
        if (!in_sections && !collected.plain) continue;
        parameters.named.emplace_back(
            name, in_sections ? joined(collected.sections, likely) : decoded_words(*collected.plain, likely));
    }
    return parameters;
}

}  // namespace mime
