#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// What an import has brought and can be taken away again. (Mailboxes: remove_mailbox.)
enum class Thing { provider, credential, consumer, webhook, alarm };
std::optional<Thing> thing_of(std::string_view word);  // "provider" or "providers", …

/// Takes it away with its secrets and tokens. 404: there is none; 409: others refer to it, or a consumer has not taken
/// all of its mail; then nothing has changed.
awaitable<Response> remove_thing(Surroundings& here, Thing thing, std::string id);

}  // namespace control
