#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/faults.hpp"
#include "engine/control/live.hpp"
#include "engine/control/message.hpp"
#include "queue/store/records.hpp"

namespace control {

/// 2026-01-31T12:00:00.000Z
std::string time_text(WallTime time);

/// A message id as 32 lower-case hexadecimal digits.
std::string id_text(const store::Digest& id);
std::optional<store::Digest> id_of(std::string_view text);

/// {"id", "mailbox", "seq", "received_at", "bytes"}
boost::json::object to_json(const store::Message& message, std::string_view mailbox);

/// {"credential", "what", "ends_at", "days_left", "remedy"}
boost::json::object to_json(const Live::Expiring& expiring);

/// 422 with {"detail", "faults": [{"path", "what"}], "left_out"}
Response faulty(std::string_view sentence, const config::Faults& faults);

/// A mailbox's row in lists: what is configured, and how it goes. Errors of its document show as "state".
boost::json::object to_json(const runtime::Audit& audit);
boost::json::object to_json(const store::Mailbox& row, const Live* live);

}  // namespace control
