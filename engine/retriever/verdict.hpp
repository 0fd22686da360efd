#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "engine/retriever/state.hpp"
#include "protocols/base/result.hpp"
#include "protocols/imap/types.hpp"
#include "protocols/pop3/types.hpp"

namespace retriever {

/// How a connection to a mailbox ended, or why none came about. All faults of the account or the way to it: no message
/// suffers from them.
struct Ended {
    enum class How {
        drained,        // we are stopping
        told,           // paused, removed or changed by the operator
        gave_way,       // others waited for its place in the budget of sessions
        token_expired,  // the server ended the session with its token: normal, about hourly at Exchange
        connection,     // network, TLS, protocol
        no_token,       // the token service has none to give; `reason` is its reason
        login_refused,  // with a token or password that should have been good
        folder,         // a folder could not be opened or is frozen
        throttled,      // the provider asks for a pause
        store,          // our own disk
    } how = How::connection;
    std::string reason;
    std::chrono::milliseconds pause{0};     // asked for by the provider or the token service; 0: none
    bool person_needed = false;             // only a person can help
    std::chrono::milliseconds survived{0};  // from the log-in to the end
};

/// What comes next.
struct Next {
    Phase phase = Phase::waiting;
    std::chrono::milliseconds after{0};
    std::uint32_t failures = 0;
};

/// Pure. `failures` in a row so far; `fraction` in [0, 1) spreads the delay. Only a session that lived longer than
/// a minute resets the failures; a mere log-in does not (P29).
Next next_after(const Ended& ended, std::uint32_t failures, double fraction);

/// How a connection that broke with this error, or that said BYE with these words, ended. Pure.
Ended ended_by(error_code error, const std::string& bye);
/// How a refused command ended the session: throttled, token expired, or by `how`. Pure.
Ended ended_by(const imap::Answer& refusal, Ended::How how, const std::string& doing);
Ended ended_by(const pop3::Answer& refusal, Ended::How how, const std::string& doing);

}  // namespace retriever
