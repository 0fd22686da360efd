#pragma once

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

// As the other commands (commands.hpp). Without a daemon each answers 503: only it refreshes tokens.

/// 201 {"sign_in", "user", "until", "url", "redirect_uri"}, or by device {"sign_in", "user", "until",
/// "verification_uri", "user_code", "message"}. 409 when it cannot begin. `browser`: SignIns::begin.
enum class SignInBy { browser, device };
awaitable<Response> begin_sign_in(Surroundings& here, std::string credential, SignInBy by, std::string browser);
/// {"credential", "state": "pending"|"stored"|"wrong person"|…, "headline", "remedy"}, while it is pending also what
/// begin_sign_in answered; 404: no such sign-in.
awaitable<Response> show_sign_in(Surroundings& here, std::string id);
/// The address that a browser showed in the end. The answer is that of show_sign_in; 422: it is not such an address.
awaitable<Response> finish_sign_in(Surroundings& here, std::string pasted, std::string browser);

}  // namespace control
