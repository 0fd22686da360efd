#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "protocols/base/clock.hpp"

namespace dispatcher {

/// How much may leave. 0: no limit.
struct PaceLimits {
    std::uint32_t mails_per_minute = 30;
    std::uint32_t recipients_per_day = 10'000;
};

/// Keeps one sender within its limits: mails spread over a rolling minute (a burst of a whole minute's allowance after
/// a rest), recipients over a rolling day in steps of an hour. Pure: `now` comes from outside.
class Pace {
public:
    explicit Pace(PaceLimits limits) noexcept : limits_(limits) {}

    /// When a mail to that many recipients may leave: `now`, or later.
    [[nodiscard]] Monotonic next(Monotonic now, std::uint32_t recipients) const noexcept;
    /// One has left.
    void count(Monotonic now, std::uint32_t recipients) noexcept;
    /// Of one that was counted without them.
    void add_recipients(Monotonic now, std::uint32_t recipients) noexcept;
    /// One that was counted, with no recipients, did not leave.
    void give_back() noexcept;
    void change(PaceLimits limits) noexcept { limits_ = limits; }
    [[nodiscard]] const PaceLimits& limits() const noexcept { return limits_; }
    [[nodiscard]] std::uint64_t recipients_today(Monotonic now) const noexcept;

private:
    static constexpr std::size_t hours = 24;
    struct Hour {
        std::int64_t number = -1;
        std::uint32_t recipients = 0;
    };

    PaceLimits limits_;
    std::optional<Monotonic> mails_from_;  // the bucket: this minute's allowance is used up to here
    std::array<Hour, hours + 1> hours_{};  // by number
};

}  // namespace dispatcher
