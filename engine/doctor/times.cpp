#include "engine/doctor/times.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace doctor {

std::string time_text(WallTime time) {
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string span_text(std::chrono::seconds span) {
    constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units{
        {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};
    const std::int64_t seconds = std::abs(span.count());
    for (const auto& [length, name] : units) {
        if (seconds < 2 * length && length > 1) continue;
        const auto count = (seconds + length / 2) / length;
        return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
    }
    return {};
}

}  // namespace doctor
