#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/runtime/audit.hpp"
#include "protocols/base/clock.hpp"
#include "queue/store/records.hpp"

namespace retriever {

/// What a mailbox is doing. Each enabled mailbox has a session, a timer or a named reason at any moment.
enum class Phase {
    starting,    // waits for its turn to log in
    connecting,  // token, connection, log-in
    fetching,
    idle,        // a live session that waits for news
    scheduled,   // all is well: visited again at next_attempt
    waiting,     // no session until next_attempt; reason says why
    paused,      // by the operator; reason
    needs_help,  // only a person can go on: consent, rights, a frozen folder; tried again at next_attempt
};

constexpr std::string_view word_of(Phase phase) {
    switch (phase) {
        case Phase::starting:
            return "starting";
        case Phase::connecting:
            return "connecting";
        case Phase::fetching:
            return "fetching";
        case Phase::idle:
            return "idle";
        case Phase::scheduled:
            return "scheduled";
        case Phase::waiting:
            return "waiting";
        case Phase::paused:
            return "paused";
        case Phase::needs_help:
            return "needs help";
    }
    return "unknown";
}

struct MailboxState {
    store::MailboxNumber number = 0;
    std::string id;
    Phase phase = Phase::starting;
    std::string reason;
    std::optional<WallTime> next_attempt;
    std::optional<WallTime> last_proof;           // when it was last proved that nothing was missed
    std::uint64_t stored = 0;                     // messages since the daemon started
    std::uint32_t failures = 0;                   // in a row
    bool caught_up = false;                       // the last proof found nothing left to fetch
    std::string hindered;                         // folders that are not fetched, and why; the others are
    std::shared_ptr<const runtime::Audit> audit;  // null: not yet
    bool shadow = false;                          // another product serves it; it is observed
    std::optional<std::uint64_t>
        shadow_missed;  // mails that the other product has not taken in time; nullopt: not known
};

}  // namespace retriever
