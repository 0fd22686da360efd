#include "engine/dispatcher/pace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocols/base/text.hpp"

namespace dispatcher {

using namespace std::chrono_literals;

namespace {

std::int64_t hour_of(store::Millis now) {
    return std::chrono::floor<std::chrono::hours>(now.time_since_epoch()).count();
}

}  // namespace

// A bucket, kept as the moment up to which its allowance is used: each mail moves that moment on by a minute's part,
// and it is never further behind than a minute.
std::chrono::nanoseconds Pace::part() const noexcept { return std::chrono::nanoseconds(1min) / mails_per_minute_; }

Monotonic Pace::next(Monotonic now) const noexcept {
    if (mails_per_minute_ == 0 || !used_up_to_) return now;
    return std::max(now, *used_up_to_ + part());
}

void Pace::count(Monotonic now) noexcept {
    if (mails_per_minute_ == 0) return;
    const auto rested = now - std::chrono::nanoseconds(1min);
    used_up_to_ = std::max(used_up_to_.value_or(rested), rested) + part();
}

void Pace::give_back() noexcept {
    if (mails_per_minute_ > 0 && used_up_to_) *used_up_to_ -= part();
}

store::Millis Day::next(store::Millis now, std::uint32_t more, std::uint32_t limit) const noexcept {
    store::Millis when = now;
    std::uint64_t counted = recipients(now);
    for (auto hour = hour_of(now) - hours; counted > 0 && counted + more > limit && hour <= hour_of(now); ++hour) {
        const Hour& here = hours_[static_cast<std::size_t>(hour) % hours_.size()];
        if (here.number != hour || here.recipients == 0) continue;
        counted -= here.recipients;
        when = std::max(when, store::Millis(std::chrono::hours(hour + hours + 1)));
    }
    return when;
}

void Day::count(store::Millis now, std::uint32_t more) noexcept {
    Hour& here = at(hour_of(now));
    if (here.number != hour_of(now)) here = {.number = hour_of(now), .recipients = 0};
    here.recipients += more;
}

void Day::give_back(store::Millis then, std::uint32_t fewer) noexcept {
    Hour& here = at(hour_of(then));
    if (here.number == hour_of(then)) here.recipients -= std::min(fewer, here.recipients);
}

std::uint64_t Day::recipients(store::Millis now) const noexcept {
    std::uint64_t sum = 0;
    for (const auto& hour : hours_) {
        if (hour.number >= 0 && hour.number >= hour_of(now) - hours) sum += hour.recipients;
    }
    return sum;
}

std::string Day::encoded() const {
    std::string text;
    for (const auto& hour : hours_) {
        if (hour.recipients > 0) text += fmt::format("{}:{} ", hour.number, hour.recipients);
    }
    return text;
}

Day Day::decoded(std::string_view text) {
    Day day;
    for (const auto word : text::split(text, ' ')) {
        const auto colon = word.find(':');
        if (colon == std::string_view::npos) continue;
        const auto number = text::number<std::int64_t>(word.substr(0, colon));
        const auto recipients = text::number<std::uint32_t>(word.substr(colon + 1));
        if (number && *number >= 0 && recipients) day.at(*number) = {*number, *recipients};
    }
    return day;
}

}  // namespace dispatcher
