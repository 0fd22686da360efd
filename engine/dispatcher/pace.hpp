#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "queue/store/records.hpp"

namespace dispatcher {

/// How much may leave. 0: no limit.
struct PaceLimits {
    std::uint32_t mails_per_minute = 30;
    std::uint32_t recipients_per_day = 10'000;
};

/// Spreads mails over a rolling minute, with a burst of a whole minute's allowance after a rest. Pure: `now` comes from
/// outside.
class Pace {
public:
    /// 0: no limit.
    explicit Pace(std::uint32_t mails_per_minute) noexcept : mails_per_minute_(mails_per_minute) {}

    /// When the next mail may leave: `now`, or later.
    [[nodiscard]] Monotonic next(Monotonic now) const noexcept;
    /// One has left, or will then.
    void count(Monotonic now) noexcept;
    /// One that was counted did not leave.
    void give_back() noexcept;
    void change(std::uint32_t mails_per_minute) noexcept { mails_per_minute_ = mails_per_minute; }

private:
    [[nodiscard]] std::chrono::nanoseconds part() const noexcept;

    std::uint32_t mails_per_minute_;
    std::optional<Monotonic> used_up_to_;  // the bucket: this minute's allowance
};

/// The recipients of a day: whoever was written to comes free again 24 hours later, or up to an hour after that, as
/// they are kept by the hour. Pure.
class Day {
public:
    /// When mail to that many may leave if `limit` a day may be written to: `now`, or later. More than a whole day's
    /// go when nobody else is counted.
    [[nodiscard]] store::Millis next(store::Millis now, std::uint32_t recipients, std::uint32_t limit) const noexcept;
    void count(store::Millis now, std::uint32_t recipients) noexcept;
    /// Of those that were counted at `then`, so many were not reached.
    void give_back(store::Millis then, std::uint32_t recipients) noexcept;
    [[nodiscard]] std::uint64_t recipients(store::Millis now) const noexcept;

    /// As the store keeps it. Unreadable: nobody is counted.
    [[nodiscard]] std::string encoded() const;
    static Day decoded(std::string_view text);

private:
    static constexpr std::int64_t hours = 24;
    struct Hour {
        std::int64_t number = -1;  // since 1970
        std::uint32_t recipients = 0;
    };
    [[nodiscard]] Hour& at(std::int64_t hour) noexcept {
        return hours_[static_cast<std::size_t>(hour) % hours_.size()];
    }

    std::array<Hour, hours + 1> hours_{};  // by number
};

}  // namespace dispatcher
