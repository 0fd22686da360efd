#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/dispatcher/settlement.hpp"
#include "queue/store/committer.hpp"

namespace dispatcher {

/// What one exchange with the store writes down: what became of a mail, and which comes next.
struct Owed {
    store::Submission submission{};
    submission::Ticket ticket{};
    Settlement settlement{};
};

/// The committer's part of sending: settle what was sent (with its events and its bounce), take what is next.
struct SendingWork {
    std::optional<Owed> owed{};
    store::MailboxNumber take = 0;  // 0: nothing
    store::Millis now{};
    std::string reporter{};  // our name, in bounces
    bool has_consumer = false;

    struct Got {
        std::optional<store::Submission> submission{};
        store::Outbox::Due due{};  // of the mailbox that was taken from
        bool bounced = false;      // a message for the consumer of the mailbox that owed
    };
    Result<Got> operator()(store::Workbench bench) const;
};

/// What the events of a submission say, as JSON.
std::string event_detail(const submission::Ticket& ticket, const submission::Progress& progress,
                         const store::Outcome& outcome);

}  // namespace dispatcher
