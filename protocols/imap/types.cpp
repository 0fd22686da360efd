#include "protocols/imap/types.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "protocols/base/text.hpp"

namespace imap {
namespace {

std::string text_of(UidRange range) {
    std::string text = std::to_string(range.first);
    if (range.last != range.first) text += ':' + std::to_string(range.last);
    return text;
}

}  // namespace

UidSet UidSet::of(std::vector<UidRange> ranges) {
    for (UidRange& each : ranges)
        if (each.first > each.last) std::swap(each.first, each.last);
    std::sort(ranges.begin(), ranges.end(), [](const UidRange& a, const UidRange& b) { return a.first < b.first; });
    UidSet set;
    for (const UidRange& each : ranges) set.add(each);
    return set;
}

void UidSet::add(UidRange range) {
    if (range.first > range.last) std::swap(range.first, range.last);
    if (range.last == 0) return;
    range.first = std::max<Uid>(range.first, 1);
    // The ranges that touch or overlap the new one are [begin, end).
    const auto begin = std::partition_point(ranges_.begin(), ranges_.end(), [&](const UidRange& each) {
        return each.last < range.first && range.first - each.last > 1;
    });
    auto end = begin;
    while (end != ranges_.end() && (end->first <= range.last || end->first - range.last == 1)) {
        range.first = std::min(range.first, end->first);
        range.last = std::max(range.last, end->last);
        ++end;
    }
    if (begin == end) {
        ranges_.insert(begin, range);
        return;
    }
    *begin = range;
    ranges_.erase(begin + 1, end);
}

void UidSet::add(const UidSet& more) {
    std::vector<UidRange> all = std::move(ranges_);
    all.insert(all.end(), more.ranges_.begin(), more.ranges_.end());
    *this = of(std::move(all));
}

void UidSet::remove(Uid uid) {
    const auto at =
        std::partition_point(ranges_.begin(), ranges_.end(), [&](const UidRange& each) { return each.last < uid; });
    if (at == ranges_.end() || uid < at->first) return;
    if (at->first == at->last) {
        ranges_.erase(at);
    } else if (uid == at->first) {
        ++at->first;
    } else if (uid == at->last) {
        --at->last;
    } else {
        const UidRange upper{uid + 1, at->last};
        at->last = uid - 1;
        ranges_.insert(at + 1, upper);
    }
}

bool UidSet::contains(Uid uid) const noexcept {
    const auto at =
        std::partition_point(ranges_.begin(), ranges_.end(), [&](const UidRange& each) { return each.last < uid; });
    return at != ranges_.end() && at->first <= uid;
}

std::uint64_t UidSet::count() const noexcept {
    std::uint64_t uids = 0;
    for (const UidRange& each : ranges_) uids += std::uint64_t{each.last} - each.first + 1;
    return uids;
}

std::string UidSet::text() const {
    std::string text;
    for (const UidRange& each : ranges_) {
        if (!text.empty()) text += ',';
        text += text_of(each);
    }
    return text;
}

UidSet UidSet::take_front(std::uint64_t uids_max, std::size_t text_bytes_max) {
    UidSet taken;
    std::size_t text_bytes = 0;
    auto next = ranges_.begin();
    while (next != ranges_.end() && uids_max > 0) {
        UidRange range = *next;
        if (std::uint64_t{range.last} - range.first >= uids_max)
            range.last = range.first + static_cast<Uid>(uids_max - 1);
        text_bytes += text_of(range).size() + (taken.empty() ? 0 : 1);
        if (text_bytes > text_bytes_max) break;
        taken.ranges_.push_back(range);
        uids_max -= std::uint64_t{range.last} - range.first + 1;
        if (range.last != next->last) {
            next->first = range.last + 1;
            break;
        }
        ++next;
    }
    ranges_.erase(ranges_.begin(), next);
    return taken;
}

std::optional<std::int64_t> read_internal_date(std::string_view text) {
    // "17-Jul-1996 02:44:25 -0700"; a day below ten comes with a leading blank, or with one digit.
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    text = text::trimmed(text);
    const std::size_t day_digits = text.find('-');
    if (day_digits != 1 && day_digits != 2) return std::nullopt;
    const auto day = text::number<unsigned>(text.substr(0, day_digits));
    text.remove_prefix(day_digits);
    if (text.size() != std::string_view("-Jul-1996 02:44:25 -0700").size()) return std::nullopt;
    if (text[4] != '-' || text[9] != ' ' || text[12] != ':' || text[15] != ':' || text[18] != ' ') return std::nullopt;
    const auto month = std::find_if(months.begin(), months.end(),
                                    [&](std::string_view each) { return text::same(each, text.substr(1, 3)); });
    const auto year = text::number<int>(text.substr(5, 4));
    const auto hour = text::number<int>(text.substr(10, 2));
    const auto minute = text::number<int>(text.substr(13, 2));
    const auto second = text::number<int>(text.substr(16, 2));
    const auto zone_hours = text::number<int>(text.substr(20, 2));
    const auto zone_minutes = text::number<int>(text.substr(22, 2));
    if (!day || month == months.end() || !year || !hour || !minute || !second || !zone_hours || !zone_minutes)
        return std::nullopt;
    if (*hour > 23 || *minute > 59 || *second > 60 || *zone_minutes > 59) return std::nullopt;
    if (text[19] != '+' && text[19] != '-') return std::nullopt;

    const auto month_number = static_cast<unsigned>(month - months.begin()) + 1;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(month_number),
                                           std::chrono::day(*day)};
    if (!date.ok()) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const int zone_seconds = (*zone_hours * 60 + *zone_minutes) * 60 * (text[19] == '-' ? -1 : 1);
    const int seconds = *hour * 3600 + *minute * 60 + *second;
    return days * 86400 + seconds - zone_seconds;
}

}  // namespace imap
