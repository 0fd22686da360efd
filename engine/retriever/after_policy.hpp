#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "protocols/base/clock.hpp"
#include "queue/store/folder_notes.hpp"
#include "queue/store/store.hpp"

namespace retriever {

/// What becomes of a mailbox's mail on the server once it was taken in.
struct AfterPolicy {
    config::After after = config::After::keep;
    std::string target;          // of a move: a folder, or its special use like "\Trash"
    std::chrono::days delay{0};  // after the mail was taken in
    [[nodiscard]] bool moves() const noexcept { return after == config::After::move; }
    /// As it is told to people and remembered; another text is another policy.
    [[nodiscard]] std::string text() const;
};
/// At Gmail what is deleted over IMAP goes to the folder of use \Trash: \Deleted and EXPUNGE take a label away there,
/// and the mail stays in "All Mail". Pure.
AfterPolicy after_policy_of(const config::Mailbox& mailbox, const config::Provider& provider);

/// What a mail still waits for. In this order: only what is acknowledged waits for its time. What a hand-off set aside
/// stays for good: its bytes are damaged here, and the server has the only whole copy.
enum class Wait { nothing, acknowledgement, time, set_aside };
struct Dueness {
    Wait wait = Wait::nothing;
    store::Millis at{};  // of Wait::time
};
/// `acknowledged`: by every consumer, up to this one. Pure.
Dueness dueness_of(const AfterPolicy& policy, const store::Message& message, store::Seq acknowledged,
                   store::Millis now);

/// The same with what the ledger says of this mail.
Result<Dueness> dueness_in(store::Store& store, const AfterPolicy& policy, const store::Message& message,
                           store::Seq acknowledged, store::Millis now);

/// What the ledger says is to be done in one folder, from some message on.
struct AfterBatch {
    store::Folder folder;
    store::AfterState state;  // of this policy: that of another one begins anew
    store::Seq through = 0;   // every message up to here is in `due`, or nothing is to be done with it
    struct Mail {
        store::Seq seq = 0;
        std::uint32_t uid = 0;
    };
    std::vector<Mail> due;      // in order of seq
    std::uint64_t dropped = 0;  // of another UIDVALIDITY: nothing is known about their UIDs now
    std::uint64_t set_aside = 0;
    bool more = false;  // there may be more due behind `through`
    Dueness next;       // of the first that is not due; Wait::nothing: there is none
};
/// From behind `after`, or from behind what is done when it is 0. On the committer's thread.
Result<AfterBatch> look_up_due(store::Store& store, store::MailboxNumber mailbox, const std::string& folder,
                               const AfterPolicy& policy, store::Seq after, store::Millis now, std::size_t mails_max);

/// When a refused job is tried again, after so many refusals in a row. Pure.
std::chrono::milliseconds pause_after_refusal(std::uint32_t attempts);

}  // namespace retriever
