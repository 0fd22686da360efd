#include "engine/retriever/shadow_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/retriever/fingerprint.hpp"
#include "engine/retriever/shadow_identity.hpp"
#include "protocols/base/text.hpp"

namespace retriever {
namespace {

constexpr int year_min = 1971, year_max = 9998;  // so that an offset leaves four digits

constexpr std::size_t fingerprint_digits = 2 * std::tuple_size_v<store::Digest>;

std::optional<store::Digest> read_fingerprint(std::string_view digits) {
    store::Digest digest{};
    if (digits.size() != fingerprint_digits) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto pair = digits.substr(2 * i, 2);
        const auto read = std::from_chars(pair.data(), pair.data() + 2, digest[i], 16);
        if (read.ec != std::errc() || read.ptr != pair.data() + 2) return std::nullopt;
    }
    return digest;
}

/// Takes the first word off; one that begins with < ends with >.
std::string_view take_word(std::string_view& line) {
    line = text::trimmed(line);
    auto end = line.starts_with('<') ? line.find('>') : std::string_view::npos;
    end = end == std::string_view::npos ? line.find_first_of(" \t") : end + 1;
    const auto word = line.substr(0, end);
    line.remove_prefix(word.size());
    return word;
}

std::optional<ShadowListEntry> read_entry(std::string_view line) {
    ShadowListEntry entry;
    auto word = take_word(line);
    if (word.starts_with('=')) {
        entry.fingerprint = read_fingerprint(word.substr(1));
        if (!entry.fingerprint) return std::nullopt;
        word = take_word(line);
    }
    const bool is_id = !entry.fingerprint || word.starts_with('<');
    if (is_id) {
        entry.message_id = plain_message_id(word);
        if (entry.message_id.empty()) return std::nullopt;
        word = take_word(line);
    }
    if (!word.empty()) {
        entry.at = read_time(word);
        if (!entry.at) return std::nullopt;
    }
    if (!text::trimmed(line).empty()) return std::nullopt;
    return entry;
}

/// The number of `count` digits at `at`.
std::optional<int> digits_at(std::string_view text, std::size_t at, std::size_t count) {
    if (text.size() < at + count) return std::nullopt;
    return text::number<int>(text.substr(at, count));
}

/// "Z", "+01:00"; empty: UTC.
std::optional<std::chrono::minutes> read_offset(std::string_view text) {
    if (text.empty() || text == "Z" || text == "z") return std::chrono::minutes(0);
    const auto hours = digits_at(text, 1, 2), minutes = digits_at(text, 4, 2);
    const bool formed = text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':';
    if (!formed || !hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const auto offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return text[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<store::Millis> read_time(std::string_view text) {
    constexpr std::uint64_t seconds_min = 100'000'000;      // what is less is a year, most likely
    constexpr std::uint64_t seconds_max = 253'370'764'799;  // the end of year_max
    if (const auto seconds = text::number<std::uint64_t>(text)) {
        if (*seconds < seconds_min || *seconds > seconds_max) return std::nullopt;
        return store::Millis(std::chrono::seconds(*seconds));
    }
    const auto year = digits_at(text, 0, 4), month = digits_at(text, 5, 2), day = digits_at(text, 8, 2);
    if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok() || *year < year_min || *year > year_max) return std::nullopt;
    const store::Millis midnight{std::chrono::sys_days(date)};
    if (text.size() == 10) return midnight;
    const auto hours = digits_at(text, 11, 2), minutes = digits_at(text, 14, 2), seconds = digits_at(text, 17, 2);
    if (!hours || !minutes || !seconds || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    if (*hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
    auto rest = text.substr(19);
    if (rest.starts_with('.')) {
        const auto fraction = rest.find_first_not_of("0123456789", 1);
        if (fraction == 1 || rest.size() == 1) return std::nullopt;
        rest.remove_prefix(std::min(fraction, rest.size()));
    }
    const auto offset = read_offset(rest);
    if (!offset) return std::nullopt;
    return midnight + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds) -
           *offset;
}

ShadowList read_shadow_list(std::string_view text) {
    ShadowList list;
    std::size_t number = 0;
    while (!text.empty() && list.fault.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text::trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        if (line.empty() || line.starts_with('#')) continue;
        auto entry = read_entry(line);
        if (!entry) {
            list.fault = fmt::format(
                "line {}: found \"{}\", expected a Message-ID and, if it is known, a time like 2026-11-27T10:00:00Z",
                number, text::printable(line, 80));
        } else if (list.entries.size() == shadow_list_entries_max) {
            list.fault = fmt::format("more than {} mails; give the list of a shorter time", shadow_list_entries_max);
        } else {
            list.entries.push_back(std::move(*entry));
        }
    }
    return list;
}

std::string line_of(const ShadowListEntry& entry) {
    std::string line;
    if (entry.fingerprint) line += '=' + hex_of(*entry.fingerprint) + ' ';
    if (!entry.message_id.empty()) line += '<' + entry.message_id + "> ";
    if (entry.at) {
        const auto day = std::chrono::floor<std::chrono::days>(*entry.at);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(*entry.at - day));
        line += fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                            static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                            time.hours().count(), time.minutes().count(), time.seconds().count());
    }
    line += '\n';
    return line;
}

}  // namespace retriever
