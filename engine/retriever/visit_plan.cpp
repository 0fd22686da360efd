#include "engine/retriever/visit_plan.hpp"

#include <algorithm>

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds shortest_ever = 1s;
constexpr std::chrono::milliseconds longest_demand = std::chrono::hours(7 * 24);

}  // namespace

VisitLimits visit_limits(std::chrono::milliseconds poll_interval) noexcept {
    VisitLimits limits;
    limits.longest = std::max(poll_interval, shortest_ever);
    limits.shortest = std::max(limits.longest / 10, shortest_ever);
    return limits;
}

store::Visit next_visit(const std::optional<store::Visit>& last, Found found, store::Millis logged_in,
                        store::Millis now, std::optional<std::chrono::seconds> login_delay, VisitLimits limits,
                        double fraction) {
    const auto interval = last ? last->interval : limits.longest;
    store::Visit visit;
    visit.interval =
        std::clamp(found == Found::mail ? interval / 4 : interval + interval / 2, limits.shortest, limits.longest);
    visit.not_before = logged_in + std::chrono::milliseconds(login_delay.value_or(0s));
    // 90 % to 100 %: never later than the longest.
    const auto spread = std::chrono::milliseconds(
        static_cast<std::int64_t>(static_cast<double>(visit.interval.count()) * (0.9 + fraction / 10)));
    visit.due = std::max(now + spread, visit.not_before);
    return visit;
}

std::chrono::milliseconds wait_for_visit(const store::Visit& planned, store::Millis now, VisitLimits limits,
                                         Wish wish) {
    const auto until = [now](store::Millis then, std::chrono::milliseconds longest) {
        return std::clamp<std::chrono::milliseconds>(then - now, 0ms, longest);
    };
    const auto demanded = until(planned.not_before, longest_demand);
    if (wish == Wish::at_once) return demanded;
    return std::max(demanded, until(std::max(planned.due, planned.not_before), std::max(limits.longest, demanded)));
}

}  // namespace retriever
