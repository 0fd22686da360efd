#pragma once

#include "engine/control/commands.hpp"

namespace control {

/// {"credentials": […], "next": id}: in order of id after `after`; "next" when there are more. Each as in
/// credential_json.hpp.
awaitable<Response> list_credentials(Surroundings& here, std::string after, std::size_t limit);
/// One, with "redirect_uri" in a running daemon: what must be registered at its provider.
awaitable<Response> show_credential(Surroundings& here, std::string id);

}  // namespace control
