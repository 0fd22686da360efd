#pragma once

#include "engine/control/commands.hpp"

namespace control {

/// Answers one call, of the control socket, the API or a command line without daemon. openapi.json describes them all,
/// but for POST /v1/api-token, which the control socket alone takes.
/// Unknown paths get 404, unknown methods 405, unknown or malformed parameters 400.
awaitable<Response> handle(Surroundings& here, Request request);

}  // namespace control
