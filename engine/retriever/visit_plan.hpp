#pragma once

#include <chrono>
#include <optional>

#include "protocols/base/clock.hpp"
#include "queue/store/listings.hpp"

namespace retriever {

/// Between which times a mailbox is visited again.
struct VisitLimits {
    std::chrono::milliseconds shortest{};
    std::chrono::milliseconds longest{};
};
/// `poll_interval` is the longest; the shortest is a tenth of it, and a second at least.
VisitLimits visit_limits(std::chrono::milliseconds poll_interval) noexcept;

/// What a visit found.
enum class Found {
    nothing,
    mail,  // or something that is not finished: mail that is to be removed and not acknowledged yet
};

/// The next visit: soon after mail, later and later when it is quiet. `login_delay`: the server's least time between
/// two log-ins. `fraction` in [0, 1) spreads the visits of many mailboxes. Pure.
store::Visit next_visit(const std::optional<store::Visit>& last, Found found, store::Millis logged_in,
                        store::Millis now, std::optional<std::chrono::seconds> login_delay, VisitLimits limits,
                        double fraction);

/// How long to wait, now that the daemon begins or goes on: a schedule from before a clock was set is not trusted
/// beyond the longest time that can have been planned. Pure.
enum class Wish { as_planned, at_once };
std::chrono::milliseconds wait_for_visit(const store::Visit& planned, store::Millis now, VisitLimits limits, Wish wish);

}  // namespace retriever
