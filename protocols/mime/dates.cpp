#include "protocols/mime/dates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "protocols/base/text.hpp"

namespace mime {
namespace {

constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::size_t words_max = 16;
constexpr std::size_t date_bytes_max = 200;
constexpr std::chrono::minutes offset_max = std::chrono::hours(24);

struct Zone {
    std::string_view name;
    int hours;
};
/// RFC 5322 §4.3, and what else was seen. Military letters are UTC: they were used with both signs.
constexpr std::array zones{
    Zone{"est", -5}, Zone{"edt", -4}, Zone{"cst", -6}, Zone{"cdt", -5}, Zone{"mst", -7}, Zone{"mdt", -6},
    Zone{"pst", -8}, Zone{"pdt", -7}, Zone{"met", 1},  Zone{"cet", 1},  Zone{"mez", 1},  Zone{"mest", 2},
    Zone{"cest", 2}, Zone{"eet", 2},  Zone{"bst", 1},  Zone{"jst", 9},
};

/// Words between blanks and commas, comments gone.
std::vector<std::string> words_of(std::string_view value) {
    std::vector<std::string> words;
    std::size_t depth = 0;
    bool open = false;
    for (const char c : value) {
        if (c == '(') ++depth;
        const bool separates = depth > 0 || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
        if (c == ')' && depth > 0) --depth;
        if (separates) {
            open = false;
            continue;
        }
        if (!open && words.size() == words_max) break;
        if (!open) words.emplace_back();
        open = true;
        words.back() += text::lower(c);
    }
    return words;
}

std::optional<unsigned> month_of(std::string_view word) {
    for (unsigned month = 0; month < months.size(); ++month) {
        if (word.size() >= 3 && word.starts_with(months[month])) return month + 1;
    }
    return std::nullopt;
}

std::optional<int> year_of(std::string_view word) {
    const auto year = text::number<int>(word);
    if (!year || word.size() > 4) return std::nullopt;
    if (word.size() == 2) return *year < 50 ? 2000 + *year : 1900 + *year;
    if (word.size() == 3) return 1900 + *year;
    return word.size() == 4 ? year : std::nullopt;
}

std::optional<std::chrono::seconds> time_of(std::string_view word) {
    const auto pieces = text::split(word, ':');
    if (pieces.size() < 2 || pieces.size() > 3) return std::nullopt;
    const auto hour = text::number<int>(pieces[0]);
    const auto minute = text::number<int>(pieces[1]);
    // Fractions of a second are not kept.
    const auto second = pieces.size() == 3 ? text::number<int>(pieces[2].substr(0, pieces[2].find('.'))) : 0;
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(std::min(*second, 59));
}

std::optional<std::chrono::minutes> offset_of(std::string_view word) {
    if (word.starts_with("gmt+") || word.starts_with("gmt-") || word.starts_with("utc+") || word.starts_with("utc-"))
        word.remove_prefix(3);
    if (word.starts_with('+') || word.starts_with('-')) {
        const int sign = word.front() == '-' ? -1 : 1;
        std::string digits(word.substr(1));
        std::erase(digits, ':');
        const auto number = text::number<int>(digits);
        if (!number || digits.size() > 4) return std::nullopt;
        const auto minutes = digits.size() <= 2 ? std::chrono::minutes(*number * 60)
                                                : std::chrono::minutes(*number / 100 * 60 + *number % 100);
        return minutes <= offset_max ? std::optional(sign * minutes) : std::nullopt;
    }
    for (const auto& zone : zones) {
        if (word == zone.name) return std::chrono::hours(zone.hours);
    }
    const bool letters = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    return letters ? std::optional(std::chrono::minutes(0)) : std::nullopt;
}

std::optional<Date> date_from(int year, unsigned month, unsigned day, std::chrono::seconds time,
                              std::chrono::minutes offset) {
    const std::chrono::year_month_day calendar{std::chrono::year(year), std::chrono::month(month),
                                               std::chrono::day(day)};
    if (!calendar.ok() || year < 1900) return std::nullopt;
    Date date;
    date.offset = offset;
    date.at = std::chrono::sys_days(calendar) + time - offset;
    return date;
}

/// 2026-01-31T12:00:00.123+01:00, or with a blank before the time, or before the zone.
std::optional<Date> iso_date(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += text.size() == 10 ? 't' + word : word;
    if (text.size() < 16 || text[4] != '-' || text[7] != '-' || text[10] != 't') return std::nullopt;
    const auto year = text::number<int>(std::string_view(text).substr(0, 4));
    const auto month = text::number<unsigned>(std::string_view(text).substr(5, 2));
    const auto day = text::number<unsigned>(std::string_view(text).substr(8, 2));
    const auto rest = std::string_view(text).substr(11);
    const auto time_end = std::min(rest.find_first_not_of("0123456789:."), rest.size());
    const auto time = time_of(rest.substr(0, time_end));
    const auto zone = rest.substr(time_end);
    const auto offset = zone.empty() ? std::chrono::minutes(0) : offset_of(zone);
    if (!year || !month || !day || !time || !offset) return std::nullopt;
    return date_from(*year, *month, *day, *time, *offset);
}

}  // namespace

std::optional<Date> read_date(std::string_view value) {
    auto words = words_of(value.substr(0, date_bytes_max));
    if (!words.empty() && words[0].size() >= 10 && words[0][4] == '-') return iso_date(words);
    // "31-jan-2026" is three words.
    std::vector<std::string> pieces;
    for (const auto& word : words) {
        const auto parts = text::split(word, '-');
        const bool joined = parts.size() == 3 && month_of(parts[1]);
        if (!joined) pieces.push_back(word);
        if (joined) pieces.insert(pieces.end(), parts.begin(), parts.end());
    }
    std::optional<unsigned> day, month;
    std::optional<int> year;
    std::optional<std::chrono::seconds> time;
    std::optional<std::chrono::minutes> offset;
    for (const auto& word : pieces) {
        if (!time && word.find(':') != std::string::npos && word.front() != '+' && word.front() != '-') {
            time = time_of(word);
            if (!time) return std::nullopt;
        } else if (!month && month_of(word)) {
            month = month_of(word);
        } else if (!day && word.size() <= 2 && text::number<unsigned>(word)) {
            day = text::number<unsigned>(word);
        } else if (day && month && !year && year_of(word)) {
            year = year_of(word);
        } else if (time && !offset) {
            offset = offset_of(word);
        }
    }
    if (!day || !month || !year || !time) return std::nullopt;
    return date_from(*year, *month, *day, *time, offset.value_or(std::chrono::minutes(0)));
}

std::string date_text(const Date& date) {
    const auto local = date.at + date.offset;
    const auto days = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day calendar(days);
    const std::chrono::hh_mm_ss time(local - days);
    const auto minutes = std::chrono::abs(date.offset).count();
    const std::string zone =
        minutes == 0 ? "Z"
                     : fmt::format("{}{:02}:{:02}", date.offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", static_cast<int>(calendar.year()),
                       static_cast<unsigned>(calendar.month()), static_cast<unsigned>(calendar.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count(), zone);
}

}  // namespace mime
