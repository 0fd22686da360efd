#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/records.hpp"

namespace store {

/// How far the mail of a folder was dealt with on the server, after it was taken in.
struct AfterState {
    FolderNumber folder = 0;
    std::string policy;          // that was followed; another one begins at the front
    Seq done = 0;                // of the mailbox: everything of the folder up to here is dealt with
    std::string parked;          // why it goes no further, in the server's words; empty: nothing is in the way
    std::uint32_t attempts = 0;  // refused, in a row
    Millis next_attempt{};       // while parked

    bool operator==(const AfterState&) const = default;
};

/// A copy into another folder that may have been made, and whose originals are still to be removed. Written before it
/// is asked for, so that none is made twice.
struct CopyIntent {
    FolderNumber folder = 0;
    std::uint32_t uid_validity = 0;
    std::string uids;  // "1:4,7"
    std::string target;
    std::uint32_t target_uid_validity = 0;
    std::uint32_t target_uid_next = 0;  // before the copy: what came of it has this UID or a higher one
    bool copied = false;                // the server said so

    bool operator==(const CopyIntent&) const = default;
};

/// What was in a folder when it was seen first, before anything was fetched.
struct FirstContact {
    FolderNumber folder = 0;
    Millis at{};
    std::uint64_t mails = 0;
    std::optional<Millis> oldest;   // the day on which the oldest one arrived
    std::uint64_t passed_over = 0;  // not taken, as `start` says

    bool operator==(const FirstContact&) const = default;
};

/// Mail from before the first contact that is fetched on an operator's word, beside what arrives.
struct Backfill {
    enum class State { running, done, cancelled };
    FolderNumber folder = 0;
    Millis from{};  // the day from which on
    State state = State::running;
    std::uint32_t uid_validity = 0;  // 0: not begun
    std::uint32_t uid = 0;           // everything up to here was looked at
    std::uint64_t found = 0;         // to be fetched, in all
    std::uint64_t taken = 0;         // of them, those looked at so far
    Millis asked_at{};
    Millis changed_at{};

    bool operator==(const Backfill&) const = default;
};

/// What sessions note about folders beside the ledger. A part of the Store, in its transactions.
class FolderNotes {
public:
    virtual ~FolderNotes() = default;

    virtual Result<std::optional<AfterState>> after_state(FolderNumber folder) = 0;
    virtual Result<void> put_after_state(const AfterState& state) = 0;
    /// Folders whose mail cannot be dealt with, because the server refuses it.
    virtual Result<std::uint64_t> parked_folders() = 0;
    /// Who has to acknowledge the mailbox's mail, and how far each of them has; in order of consumer. Without last_seq.
    virtual Result<std::vector<HandOff>> subscriptions(MailboxNumber mailbox) = 0;

    virtual Result<std::optional<CopyIntent>> copy_intent(FolderNumber folder) = 0;
    virtual Result<void> put_copy_intent(const CopyIntent& intent) = 0;
    virtual Result<void> remove_copy_intent(FolderNumber folder) = 0;

    virtual Result<std::optional<FirstContact>> first_contact(FolderNumber folder) = 0;
    virtual Result<void> put_first_contact(const FirstContact& contact) = 0;

    virtual Result<std::optional<Backfill>> backfill(FolderNumber folder) = 0;
    virtual Result<void> put_backfill(const Backfill& backfill) = 0;
};

}  // namespace store
