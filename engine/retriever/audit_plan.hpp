#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "protocols/base/clock.hpp"

namespace retriever {

/// Connections come and go; so soon after an audit the next one needs none.
inline constexpr std::chrono::minutes audits_apart{15};
/// Without ESEARCH a server names every UID: then only folders of so many messages are audited with each connection.
inline constexpr std::uint32_t audited_each_time_max = 20'000;

/// Whether an audit is due by itself: with a new connection, and once each night, each mailbox at a time of its own
/// between 0:00 and 5:00 UTC, so that never all are audited at once. Pure.
enum class AuditDue { no, cheap_ones, all };
AuditDue audit_due(std::string_view mailbox_id, WallTime now, std::optional<WallTime> last, bool connected_anew);

}  // namespace retriever
