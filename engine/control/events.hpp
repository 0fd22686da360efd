#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// Of the kinds that the store keeps, those of alarms; all others are of submissions.
[[nodiscard]] bool is_alarm_event(std::string_view kind) noexcept;

/// Under this name the store remembers up to which event a webhook has been told (Store::put_meta).
std::string cursor_row(std::string_view webhook);

/// {"number", "type": "submission.delivered" or "alarm.raised", "at", "data"}, of a submission with "submission" and
/// "mailbox".
boost::json::object to_json(const store::OutboxEvent& event, const std::string& mailbox);

/// {"events": […], "next": number}: what has happened, in order, after event number `after`.
awaitable<Response> list_events(Surroundings& here, std::int64_t after, std::size_t limit);

/// {"alarms": […], "conditions": […], "watching": bool}: the alarms that stand, everything that is wrong at this
/// moment, and whether this daemon tells operators of it.
awaitable<Response> list_alarms(const Surroundings& here);

}  // namespace control
