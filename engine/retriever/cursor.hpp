#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "engine/config/model.hpp"
#include "protocols/imap/types.hpp"
#include "queue/store/records.hpp"

namespace retriever {

/// RFC 9051 §9 date: "1-Feb-2026".
std::string imap_date(std::chrono::sys_days day);

/// What to do with a folder that was just opened.
struct FolderPlan {
    enum class Act {
        go_on,   // fetch everything above the cursor
        adopt,   // first contact: adopt UIDVALIDITY with this cursor, then go on
        freeze,  // fetch nothing; `reason` says why and what helps
    } act = Act::go_on;
    std::uint32_t cursor = 0;
    std::string since;  // adopt with a start date: "1-Jan-2026", the only UIDs wanted below UIDNEXT
    std::string reason;
};

/// Never re-baselines: a changed UIDVALIDITY, or a UIDNEXT below what was seen, freezes the folder until a
/// reconciliation has matched what the ledger holds. Pure. RFC 9051 §2.3.1.1.
FolderPlan plan_of(const store::Folder& known, const imap::Selected& now, const config::Start& start);

/// The criteria of UID SEARCH for everything new: "UID 18:*", "UID 12,15:16,18:*" with UIDs that are awaited, or
/// "SINCE 1-Jan-2026 UID 1:*".
std::string search_for_new(std::uint32_t cursor, const std::string& since, const imap::UidSet& awaited);

/// A server may show a UID after it has shown a higher one. One that is missing below others is awaited for so long,
/// and at most so many in a folder, the highest, before it counts as deleted.
inline constexpr std::chrono::hours awaited_for{1};
inline constexpr std::uint64_t awaited_uids_max = 256;

/// What is missing between the cursor and the highest UID that is shown: the highest awaited_uids_max of it.
imap::UidSet unshown(const imap::UidSet& shown, std::uint32_t cursor);

/// Those UIDs of a search that are really above the cursor ("18:*" always includes the last message).
imap::UidSet above(imap::UidSet found, std::uint32_t cursor);

}  // namespace retriever
