#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "engine/config/model.hpp"
#include "protocols/imap/types.hpp"
#include "queue/store/accounting.hpp"
#include "queue/store/records.hpp"

namespace retriever {

/// RFC 9051 §9 date: "1-Feb-2026".
std::string imap_date(std::chrono::sys_days day);

/// What to do with a folder that was just opened.
struct FolderPlan {
    enum class Act {
        go_on,     // fetch everything above the cursor
        adopt,     // first contact: adopt UIDVALIDITY with this cursor, then go on
        renumber,  // another UIDVALIDITY: compare all that is there with the ledger, message by message
        freeze,    // fetch nothing; `reason` says why and what helps
    } act = Act::go_on;
    std::uint32_t cursor = 0;
    std::string since;  // adopt with a start date: "1-Jan-2026", the only UIDs wanted below UIDNEXT
    std::string reason;
};

/// Never re-baselines: under a changed UIDVALIDITY the folder is compared with the ledger, and where that makes no
/// sense (no UIDVALIDITY, or a UIDNEXT below what was seen) it is frozen. Pure. RFC 9051 §2.3.1.1.
FolderPlan plan_of(const store::Folder& known, const imap::Selected& now, const config::Start& start);

/// How often the UIDVALIDITY of a folder may change within so long: then its UIDs identify nothing, and it is frozen.
inline constexpr std::uint64_t renumberings_max = 3;
inline constexpr std::chrono::hours renumberings_within{24};
/// Mail that shows up so long after the change may still be in the ledger under another UID.
inline constexpr std::chrono::hours recognised_for{1};
/// Why it is frozen.
std::string renumbered_too_often(std::uint32_t before, std::uint32_t now);

/// What came of a comparison, for people: "UIDVALIDITY changed from 7 to 8: 4711 messages recognised, 2 new".
std::string outcome_of(const store::Renumbering& renumbering);

/// The instant before which mail was not wanted at the first contact. INTERNALDATE has seconds and a zone, and a search
/// by date looks at the day of that zone alone: what may have been wanted counts as wanted.
store::Millis wanted_from(const config::Start& start, store::Millis contact);

/// The criteria of UID SEARCH for everything new: "UID 18:*", "UID 12,15:16,18:*" with UIDs that are awaited, or
/// "SINCE 1-Jan-2026 UID 1:*".
std::string search_for_new(std::uint32_t cursor, const std::string& since, const imap::UidSet& awaited);

/// A server may show a UID after it has shown a higher one. One that is missing below others is awaited for so long,
/// and at most so many in a folder, the highest, before it counts as deleted.
inline constexpr std::chrono::hours awaited_for{1};
inline constexpr std::uint64_t awaited_uids_max = 256;

/// What is missing between the cursor and the highest UID that is shown: the highest awaited_uids_max of it.
imap::UidSet unshown(const imap::UidSet& shown, std::uint32_t cursor);

/// Those that are not in `less`.
imap::UidSet without(const imap::UidSet& uids, const imap::UidSet& less);

/// Those UIDs of a search that are really above the cursor ("18:*" always includes the last message).
imap::UidSet above(imap::UidSet found, std::uint32_t cursor);

}  // namespace retriever
