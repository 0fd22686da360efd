#pragma once

#include "engine/console/attempts.hpp"
#include "engine/console/console.hpp"
#include "engine/control/routes.hpp"
#include "protocols/http/message.hpp"

/// What the network may ask: probes and numbers without a token, the API under /v1/ with one, everything else is a page
/// of the console, which has its own log-in. The shard of its surroundings.
class NetworkDoor {
public:
    NetworkDoor(control::Surroundings& here, const control::ApiToken& token, console::Console& pages,
                console::Attempts& attempts)
        : here_(here), token_(token), pages_(pages), attempts_(attempts) {}

    awaitable<http::Response> answer(http::Request request);
    /// An import document may be large; of those who show no token, nothing is.
    [[nodiscard]] std::size_t body_bytes_max(const http::Request& head);

private:
    /// A wrong token is one attempt, although a large call is judged by its head first.
    enum class Count { this_one, was_counted };
    /// Why a call may not pass; nullopt: it shows the token.
    std::optional<http::Response> stop(const http::Request& request, Count count);

    control::Surroundings& here_;
    const control::ApiToken& token_;
    console::Console& pages_;
    console::Attempts& attempts_;
};

/// As HTTP has it.
http::Response response_of(control::Response answer);
/// Answers without asking who calls: of the control socket, and once the door has let a call in.
awaitable<http::Response> answer_call(control::Surroundings* here, control::From from, http::Request request);
