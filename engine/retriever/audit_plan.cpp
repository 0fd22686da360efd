#include "engine/retriever/audit_plan.hpp"

#include <algorithm>
#include <cstdint>

namespace retriever {
namespace {

constexpr std::chrono::hours night{5};

/// FNV-1a: the same on every node.
std::chrono::seconds place_in_night(std::string_view mailbox_id) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : mailbox_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return std::chrono::seconds(hash % static_cast<std::uint64_t>(std::chrono::seconds(night).count()));
}

}  // namespace

AuditDue audit_due(std::string_view mailbox_id, WallTime now, std::optional<WallTime> last, bool connected_anew) {
    if (!last) return AuditDue::cheap_ones;
    const auto tonight = std::chrono::floor<std::chrono::days>(now) + place_in_night(mailbox_id);
    const auto newest = tonight <= now ? tonight : tonight - std::chrono::days(1);
    if (*last < newest) return AuditDue::all;
    return connected_anew && *last + audits_apart <= now ? AuditDue::cheap_ones : AuditDue::no;
}

}  // namespace retriever
