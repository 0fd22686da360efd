#pragma once

#include <string>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// {"open": bool, "reason", "queued", "sending", "in_doubt", "held"}: whether mail is taken in from applications, and
/// how much waits. With `reason` also: no more from now on, durable; an empty one opens it again.
awaitable<Response> show_intake(Surroundings& here);
awaitable<Response> close_intake(Surroundings& here, std::string reason);

/// The mailbox's mail waits, while it goes on being fetched. An empty reason lifts it. 404: no such mailbox, or it does
/// not send.
awaitable<Response> suspend_sender(Surroundings& here, std::string mailbox, std::string reason);

}  // namespace control
