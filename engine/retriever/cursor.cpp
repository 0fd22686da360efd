#include "engine/retriever/cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

namespace retriever {

namespace {

FolderPlan frozen(std::string reason) {
    FolderPlan plan;
    plan.act = FolderPlan::Act::freeze;
    plan.reason = std::move(reason);
    return plan;
}

}  // namespace

std::string imap_date(std::chrono::sys_days day) {
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::year_month_day date(day);
    return fmt::format("{}-{}-{:04}", static_cast<unsigned>(date.day()),
                       months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()));
}

FolderPlan plan_of(const store::Folder& known, const imap::Selected& now, const config::Start& start) {
    if (now.uid_validity == 0) return frozen("the server gives no UIDVALIDITY, so its UIDs identify nothing");
    FolderPlan plan;
    if (known.uid_validity == 0) {
        plan.act = FolderPlan::Act::adopt;
        if (start.from == config::Start::From::fresh) {
            if (now.uid_next == 0) return frozen("start is new, but the server gives no UIDNEXT to start from");
            plan.cursor = now.uid_next - 1;
        }
        if (start.from == config::Start::From::date) plan.since = imap_date(start.date);
        return plan;
    }
    if (known.uid_validity != now.uid_validity) {
        return frozen(
            fmt::format("UIDVALIDITY changed from {} to {}: the UIDs in the ledger no longer name the "
                        "messages on the server; nothing is fetched, so that nothing is lost or doubled",
                        known.uid_validity, now.uid_validity));
    }
    if (now.uid_next != 0 && now.uid_next <= known.cursor) {
        return frozen(
            fmt::format("UIDNEXT {} is not above UID {}, which was already accounted for, although "
                        "UIDVALIDITY {} is the same: the server reuses UIDs",
                        now.uid_next, known.cursor, known.uid_validity));
    }
    plan.cursor = known.cursor;
    return plan;
}

std::string search_for_new(std::uint32_t cursor, const std::string& since, const imap::UidSet& awaited) {
    const auto first = static_cast<std::uint64_t>(cursor) + 1;
    if (!since.empty()) return fmt::format("SINCE {} UID {}:*", since, first);
    imap::UidSet passed;
    for (const auto& range : awaited.ranges()) {
        if (range.first <= cursor) passed.add({range.first, std::min(range.last, cursor)});
    }
    return passed.empty() ? fmt::format("UID {}:*", first) : fmt::format("UID {},{}:*", passed.text(), first);
}

imap::UidSet unshown(const imap::UidSet& shown, std::uint32_t cursor) {
    imap::UidSet missing;
    std::uint64_t room = awaited_uids_max;
    const auto& ranges = shown.ranges();
    for (auto range = ranges.rbegin(); range != ranges.rend() && room > 0; ++range) {
        const auto below = std::next(range);
        const std::uint64_t first = (below == ranges.rend() ? cursor : std::max(cursor, below->last)) + 1ULL;
        if (range->first <= first) continue;
        const auto taken = std::min(room, range->first - first);
        missing.add({static_cast<imap::Uid>(range->first - taken), range->first - 1});
        room -= taken;
    }
    return missing;
}

imap::UidSet above(imap::UidSet found, std::uint32_t cursor) {
    imap::UidSet wanted;
    for (auto range : found.ranges()) {
        if (range.last <= cursor) continue;
        if (range.first <= cursor) range.first = cursor + 1;
        wanted.add(range);
    }
    return wanted;
}

}  // namespace retriever
