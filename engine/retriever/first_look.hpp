#pragma once

#include <optional>
#include <string>

#include "engine/config/model.hpp"
#include "engine/retriever/job_line.hpp"
#include "engine/retriever/verdict.hpp"
#include "protocols/imap/client.hpp"
#include "queue/store/folder_notes.hpp"

namespace retriever {

/// The first contact with a folder: before anything is fetched, what is there is counted and noted, for whoever set up
/// the mailbox. EXAMINE and SEARCH alone. One session, one shard.
class FirstLook {
public:
    struct Facts {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        std::string folder;
        config::Start start;
    };
    FirstLook(Facts facts, IntakeHouse house) : facts_(std::move(facts)), house_(house) {}

    /// Nothing when the folder was opened before, or cannot be opened. Leaves the folder open.
    awaitable<std::optional<Ended>> take(imap::Client& client);

private:
    awaitable<Result<bool>> is_first();
    awaitable<Result<std::optional<std::chrono::sys_days>>> oldest(imap::Client& client);
    awaitable<Result<std::optional<std::uint64_t>>> count(imap::Client& client, std::string criteria);
    void hear(const imap::Answer& refusal);
    [[nodiscard]] Ended store_ended(error_code error) const;

    Facts facts_;
    IntakeHouse house_;
    std::optional<Ended> hindered_;
};

}  // namespace retriever
