#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mime {

/// A moment, and the place's distance from UTC that it was written with.
struct Date {
    std::chrono::sys_seconds at{};
    std::chrono::minutes offset{};
    bool operator==(const Date&) const = default;
};

/// The value of a Date field, as mail programs write it: RFC 5322 §3.3 with the obsolete zones and years of §4.3,
/// without day of the week or seconds, with "-" between day, month and year, in the order of asctime(), in ISO 8601.
/// An unknown zone is UTC. nullopt: no date, or one that the calendar does not have.
std::optional<Date> read_date(std::string_view value);

/// 2026-01-31T12:00:00+01:00
std::string date_text(const Date& date);

}  // namespace mime
