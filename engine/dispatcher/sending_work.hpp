#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/dispatcher/allowances.hpp"
#include "engine/dispatcher/settlement.hpp"
#include "queue/store/committer.hpp"

namespace dispatcher {

/// What one exchange with the store writes down: what became of a mail, and which comes next.
struct Owed {
    store::Submission submission{};
    submission::Ticket ticket{};
    Settlement settlement{};
    Spender spender{};             // whose allowance it was counted against when it was taken
    std::uint32_t recipients = 0;  // that were counted
    store::Millis taken_at{};
};

/// The committer's part of sending: settle what was sent (with its events and its bounce), take what is next.
struct SendingWork {
    std::shared_ptr<const Owed> owed{};  // nullptr: nothing
    store::MailboxNumber take = 0;       // 0: nothing
    store::Millis now{};
    Allowances* allowances = nullptr;  // nullptr: nothing is counted
    Spender spender{};                 // of what is taken
    bool reserved = false;             // this is the tenant's moment that it was promised before
    std::string reporter{};            // our name, in bounces
    bool has_consumer = false;

    struct Got {
        std::optional<store::Submission> submission{};
        store::Outbox::Due due{};                   // of the mailbox that was taken from
        std::uint32_t recipients = 0;               // of the submission, that were counted
        std::uint64_t recipients_today = 0;         // of the mailbox that was taken from
        std::optional<store::Millis> not_before{};  // nothing was taken: the allowance is spent until then
        bool reserved = false;                      // that moment is this mailbox's own
        bool bounced = false;                       // a message for the consumer of the mailbox that owed
    };
    Result<Got> operator()(store::Workbench bench) const;

private:
    Result<bool> settle(store::Workbench bench) const;
    Result<void> take_next(store::Workbench bench, Got& got) const;
};

/// What the events of a submission say, as JSON.
std::string event_detail(const submission::Ticket& ticket, const submission::Progress& progress,
                         const store::Outcome& outcome);

}  // namespace dispatcher
