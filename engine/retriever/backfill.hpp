#pragma once

#include <optional>
#include <string>

#include "engine/retriever/folder_intake.hpp"
#include "engine/retriever/job_line.hpp"
#include "engine/retriever/verdict.hpp"
#include "protocols/imap/client.hpp"
#include "queue/store/folder_notes.hpp"

namespace retriever {

/// Fetches mail of one folder that lies below its cursor and is not in the ledger, because an operator asked for it:
/// slice by slice, so that what arrives goes first. How far it is lies in the store. One session, one shard.
class Backfilling {
public:
    struct Facts {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        std::string folder;
    };
    Backfilling(Facts facts, IntakeHouse house) : facts_(std::move(facts)), house_(house) {}

    struct Slice {
        bool running = false;  // there is more to fetch
        std::uint64_t stored = 0;
        std::optional<Ended> ended;
    };
    /// The next slice, if one was asked for. The folder that `intake` opened is the one that is open.
    awaitable<Slice> take(imap::Client& client, FolderIntake& intake, const bool& stop);
    /// Whether an operator has asked, and it is not over. Looked up in the store.
    awaitable<Result<bool>> asked_for();

private:
    awaitable<std::optional<Ended>> begin(imap::Client& client, const FolderIntake& intake);
    awaitable<Result<imap::UidSet>> unknown(imap::UidSet uids);
    /// Another: an operator has cancelled it, or asked for another one, meanwhile.
    enum class Which { this_one, another };
    awaitable<Result<Which>> keep();
    [[nodiscard]] Ended store_ended(error_code error) const;

    Facts facts_;
    IntakeHouse house_;
    store::Backfill backfill_;          // as the store had it last
    std::optional<imap::UidSet> left_;  // what the server has, from the day on, and was not looked at
};

}  // namespace retriever
