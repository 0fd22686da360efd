#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/retriever/after_policy.hpp"
#include "engine/retriever/job_line.hpp"
#include "engine/retriever/verdict.hpp"
#include "protocols/imap/client.hpp"

namespace retriever {

/// Does on the server what is due with the mail of one folder: flags, moves, deletes. What it does is looked up in the
/// ledger, by UIDs that are in it and under the UIDVALIDITY that is in it, so that anything can be repeated: what is
/// not in the folder any more is done. What a server refuses waits, with its words, and hinders nothing else. One
/// session, one shard.
class AfterWork {
public:
    struct Facts {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        std::string folder;
        std::vector<std::string> fetched;  // the mailbox's folders: none of them is a place to move mail to
        AfterPolicy policy;
    };
    AfterWork(Facts facts, IntakeHouse house) : facts_(std::move(facts)), house_(house) {}

    struct Done {
        bool opened = false;  // another folder is open now than before, or for writing
        std::uint64_t mails = 0;
        std::uint64_t gone = 0;             // somebody else had done it
        std::optional<store::Millis> next;  // when something becomes due that is not now
        std::optional<Ended> ended;
    };
    /// Everything that is due. `stop` is looked at between commands.
    awaitable<Done> perform(imap::Client& client, const bool& stop);

    [[nodiscard]] const std::string& folder() const noexcept { return facts_.folder; }
    [[nodiscard]] const AfterPolicy& policy() const noexcept { return facts_.policy; }

private:
    awaitable<std::optional<Ended>> take_batch(imap::Client& client, const bool& stop, AfterBatch& batch, Done& done);
    awaitable<std::optional<Ended>> prepare(imap::Client& client, AfterBatch& batch, Done& done);
    awaitable<std::optional<Ended>> find_target(imap::Client& client);
    awaitable<std::optional<Ended>> open(imap::Client& client, const AfterBatch& batch);
    struct Present {
        imap::UidSet uids;
        std::optional<Ended> ended;
    };
    awaitable<Present> present(imap::Client& client, imap::UidSet uids, std::string_view more);
    awaitable<std::optional<Ended>> work_off(imap::Client& client, const bool& stop, imap::UidSet uids);
    awaitable<std::optional<Ended>> act(imap::Client& client, imap::UidSet uids);
    awaitable<std::optional<Ended>> remove(imap::Client& client, imap::UidSet uids);
    awaitable<std::optional<Ended>> remove_without_uids(imap::Client& client, imap::UidSet uids);
    awaitable<std::optional<Ended>> copy(imap::Client& client, imap::UidSet uids);
    awaitable<std::optional<Ended>> finish_copy(imap::Client& client, const AfterBatch& batch);
    awaitable<std::optional<Ended>> keep_intent(store::CopyIntent intent);
    awaitable<std::optional<Ended>> keep(AfterBatch& batch);
    awaitable<std::optional<Ended>> forget_copy();

    void start_over();
    void block();
    /// Of an answer that is no OK: refused, or, as its words say, the end of the session.
    std::optional<Ended> refused(const imap::Answer& answer, const std::string& doing);
    [[nodiscard]] Ended store_ended(error_code error) const;
    [[nodiscard]] store::Millis now() const;

    Facts facts_;
    IntakeHouse house_;
    store::FolderNumber folder_ = 0;
    std::string target_;       // found, or made
    store::Seq position_ = 0;  // looked at up to here by this session; 0: where the store says
    bool intent_looked_up_ = false;
    bool ready_ = false;                  // within perform(): the folder is open for writing
    bool blocked_ = false;                // nothing at all was possible: no use in going on
    std::optional<std::string> refusal_;  // of the last command
    imap::UidSet stuck_;                  // refused each by itself
    bool stuck_before_ = false;           // in an earlier batch
    std::string words_;                   // why
};

}  // namespace retriever
