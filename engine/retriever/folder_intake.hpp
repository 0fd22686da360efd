#pragma once

#include <optional>
#include <string>

#include "engine/config/model.hpp"
#include "engine/retriever/cursor.hpp"
#include "engine/retriever/intake.hpp"
#include "engine/retriever/verdict.hpp"
#include "engine/runtime/audit.hpp"
#include "protocols/imap/client.hpp"
#include "queue/store/committer.hpp"

namespace retriever {

/// One folder of one connection: opens it, compares it with the ledger, and takes in what is new, with every UID
/// accounted for: stored, gone from the server, or pending with a reason. One session, one shard.
class FolderIntake {
public:
    struct Facts {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        std::string folder;
        config::Start start;
        bool has_siblings = false;  // other folders of the mailbox are fetched, too
    };
    FolderIntake(Facts facts, Intake::Sizes sizes, Intake::House house, imap::Client::FetchPlan plan);

    /// EXAMINEs the folder (SELECTs it where EXAMINE does not say UIDNEXT) and decides what to do with it. A frozen
    /// folder is an Ended with person_needed.
    awaitable<std::optional<Ended>> open(imap::Client& client);
    struct Taken {
        std::uint64_t stored = 0;
        std::uint64_t known_before = 0;
        std::uint64_t bytes = 0;
        std::uint64_t pending = 0;
        std::optional<Ended> ended;
    };
    /// Fetches everything above the cursor, and, when asked, what was pending. `stop` is looked at between slices.
    enum class Pendings { leave, retry };
    awaitable<Taken> take_new(imap::Client& client, Pendings pendings, const bool& stop,
                              std::optional<Unfinished>& unfinished);

    struct Audited {
        runtime::FolderAudit result;
        std::uint64_t unknown = 0;  // pending from now on: take_new() fetches them
        std::optional<Ended> ended;
    };
    /// Compares all that the server shows with the ledger, in one round trip. After take_new(), on the open folder.
    awaitable<Audited> audit(imap::Client& client);
    /// Fetches these, which lie below the cursor and are not in the ledger.
    awaitable<Taken> take_older(imap::Client& client, imap::UidSet wanted, const bool& stop);

    [[nodiscard]] const std::string& name() const noexcept { return facts_.folder; }
    [[nodiscard]] std::uint64_t pending() const noexcept { return pending_; }
    [[nodiscard]] std::uint32_t cursor() const noexcept { return cursor_; }
    [[nodiscard]] std::uint32_t uid_validity() const noexcept { return uid_validity_; }

private:
    awaitable<std::optional<Ended>> check_uid_next(imap::Client& client, std::uint32_t highest);
    awaitable<Ended> freeze(std::string reason);
    awaitable<Result<imap::UidSet>> look_up_pending();
    awaitable<std::optional<Ended>> look_for_too_large(imap::Client& client);
    awaitable<Result<imap::UidSet>> missing_below(imap::Client& client, const imap::UidSet& shown);
    awaitable<std::optional<Ended>> await_unshown(imap::UidSet missing);
    awaitable<std::optional<Ended>> take_slice(imap::Client& client, Intake& intake, imap::UidSet slice);
    awaitable<Ended> fetch_ended(imap::Client& client, Intake& intake, error_code error, imap::UidSet asked);
    struct Unresolved {
        imap::UidSet missing;  // announced, asked for, not delivered
        imap::UidSet gone;     // no longer on the server
        std::string why;       // for the missing ones
    };
    awaitable<std::optional<Ended>> account(Intake& intake, Unresolved unresolved, std::uint32_t top);
    // folder_compare.cpp: what is known without having been fetched under its UID.
    awaitable<std::optional<Ended>> look_up_contact(FolderPlan::Act act);
    awaitable<std::optional<Ended>> pass_over(imap::UidSet wanted);
    awaitable<std::optional<Ended>> renumber();
    awaitable<std::optional<Ended>> gather();
    awaitable<std::optional<Ended>> take_compared(imap::Client& client, Intake& intake, imap::UidSet slice);
    awaitable<std::optional<Ended>> recognise(imap::Client& client, Intake& intake, imap::UidSet& slice);
    awaitable<std::optional<Ended>> conclude();
    awaitable<std::optional<Ended>> stop_recognising(const imap::UidSet& again);
    // folder_labels.cpp
    awaitable<std::optional<Ended>> take_unknown(imap::Client& client, Intake& intake, imap::UidSet slice);
    awaitable<std::optional<Ended>> leave_copies(imap::Client& client, Intake& intake, imap::UidSet& slice);
    // folder_audit.cpp
    awaitable<std::optional<Ended>> note_unknown(imap::UidSet unknown);
    [[nodiscard]] bool recognises() const noexcept { return renumbering_.has_value(); }

    awaitable<std::optional<Ended>> take_rest(imap::Client& client, Intake& intake, Unfinished unfinished);
    [[nodiscard]] Ended store_ended(error_code error) const;
    [[nodiscard]] std::string too_large() const;

    Facts facts_;
    Intake::Sizes sizes_;
    Intake::House house_;
    imap::Client::FetchPlan plan_;
    store::Folder folder_;
    std::uint32_t uid_validity_ = 0;
    std::uint32_t cursor_ = 0;
    std::string since_;
    imap::UidSet passed_;  // there before the first contact, and not wanted
    std::optional<store::Renumbering>
        renumbering_;             // UIDVALIDITY has changed: the ledger may have it under another UID
    imap::UidSet too_large_;      // pending for that reason: not asked for again
    imap::UidSet awaited_;        // not shown although higher ones are: looked for with each search
    imap::UidSet overdue_;        // those of them that were awaited long enough
    bool renumbered_ = false;     // at any time: UIDs may have stood for other messages
    std::uint64_t uid_next_ = 0;  // UIDs below it may be there; 0: the server does not say
    std::uint32_t exists_ = 0;    // when uid_next_ was learned
    std::uint64_t pending_ = 0;
    std::uint64_t known_elsewhere_ = 0;  // of what is taken now, the copies that were not fetched
};

}  // namespace retriever
