#pragma once

#include <chrono>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// {"mailboxes": [id, …]}, or nothing for all of them: looks at them from now on. 201 {"check": id}; 404 names a
/// mailbox that is not there, 409 when others run, 422 when the body is something else.
awaitable<Response> begin_check(Surroundings& here, std::string body);
/// Waits until the check has ended, at most that long: {"state": "running", "done", "steps"}, or {"state": "done",
/// "checked_at", "took_ms", "verdict", "mailboxes": […], "findings": […]}. 404: no such check, or it ended long ago.
awaitable<Response> show_check(Surroundings& here, std::string id, std::chrono::milliseconds within);
inline constexpr std::chrono::milliseconds check_waited_max = std::chrono::seconds(30);

}  // namespace control
