#include "engine/dispatcher/pace.hpp"

#include <algorithm>

namespace dispatcher {

using namespace std::chrono_literals;

namespace {

std::int64_t hour_of(Monotonic now) { return std::chrono::floor<std::chrono::hours>(now.time_since_epoch()).count(); }

}  // namespace

// A bucket, kept as the moment up to which its allowance is used: each mail moves that moment on by a minute's part,
// and it is never further behind than a minute.
Monotonic Pace::next(Monotonic now, std::uint32_t recipients) const noexcept {
    Monotonic when = now;
    if (limits_.mails_per_minute > 0 && mails_from_) {
        const auto part = std::chrono::nanoseconds(1min) / limits_.mails_per_minute;
        when = std::max(when, *mails_from_ + part);
    }
    if (limits_.recipients_per_day == 0) return when;
    std::uint64_t counted = recipients_today(now);
    for (auto hour = hour_of(now) - static_cast<std::int64_t>(hours) + 1;
         counted > 0 && counted + recipients > limits_.recipients_per_day && hour <= hour_of(now); ++hour) {
        const Hour& here = hours_[static_cast<std::size_t>(hour) % hours_.size()];
        if (here.number != hour || here.recipients == 0) continue;
        counted -= here.recipients;
        when = std::max(when, Monotonic(std::chrono::hours(hour + static_cast<std::int64_t>(hours))));
    }
    return when;
}

void Pace::count(Monotonic now, std::uint32_t recipients) noexcept {
    if (limits_.mails_per_minute > 0) {
        const auto part = std::chrono::nanoseconds(1min) / limits_.mails_per_minute;
        const auto rested = now - std::chrono::nanoseconds(1min);
        mails_from_ = std::max(mails_from_.value_or(rested), rested) + part;
    }
    add_recipients(now, recipients);
}

void Pace::give_back() noexcept {
    if (limits_.mails_per_minute > 0 && mails_from_)
        *mails_from_ -= std::chrono::nanoseconds(1min) / limits_.mails_per_minute;
}

void Pace::add_recipients(Monotonic now, std::uint32_t recipients) noexcept {
    Hour& here = hours_[static_cast<std::size_t>(hour_of(now)) % hours_.size()];
    if (here.number != hour_of(now)) here = {.number = hour_of(now), .recipients = 0};
    here.recipients += recipients;
}

std::uint64_t Pace::recipients_today(Monotonic now) const noexcept {
    std::uint64_t sum = 0;
    for (const auto& hour : hours_) {
        if (hour.number >= 0 && hour.number > hour_of(now) - static_cast<std::int64_t>(hours)) sum += hour.recipients;
    }
    return sum;
}

}  // namespace dispatcher
