#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/config/model.hpp"
#include "engine/retriever/job_line.hpp"
#include "engine/retriever/shadow_book.hpp"
#include "engine/retriever/verdict.hpp"
#include "protocols/imap/client.hpp"

namespace retriever {

/// One folder whose mail another product takes: looks, and writes down what that one does. EXAMINE, STATUS, SEARCH and
/// FETCH of heads with PEEK: nothing changes at the server. One session, one shard.
class FolderShadow {
public:
    struct Facts {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        std::string folder;
        config::Start start;
        config::Shadow shadow;
    };
    FolderShadow(Facts facts, IntakeHouse house, imap::Client::FetchPlan plan)
        : facts_(std::move(facts)), house_(house), plan_(plan) {}

    /// EXAMINEs the folder; the first time, what is there is left out as `start` says. A server that gives out no UIDs
    /// for good to who only reads (no UIDNEXT: Courier) cannot be observed.
    awaitable<std::optional<Ended>> open(imap::Client& client);

    struct Looked {
        std::uint64_t arrived = 0;
        std::uint64_t taken = 0;   // \Seen or removed since the last look
        std::uint64_t missed = 0;  // in all, so far
        std::optional<store::Millis> next_due;
        std::optional<Ended> ended;
    };
    /// `news`: what has arrived, and what became of the mail that is not taken so far; it makes none late. `whole`: all
    /// that is observed, right after open(). `stop` is looked at between slices.
    enum class Depth { news, whole };
    awaitable<Looked> look(imap::Client& client, Depth depth, const bool& stop);

    /// The store knows better what is observed: open() asks it.
    void read_again() noexcept { known_ = false; }

    [[nodiscard]] const std::string& name() const noexcept { return facts_.folder; }
    [[nodiscard]] bool is_due(store::Millis now) const noexcept { return next_due_ && *next_due_ <= now; }

private:
    struct Searched {
        imap::UidSet uids;
        std::optional<Ended> ended;
    };
    awaitable<Searched> search(imap::Client& client, std::string criteria);
    awaitable<Searched> search_among(imap::Client& client, imap::UidSet uids);
    awaitable<std::optional<Ended>> begin(imap::Client& client, const imap::Selected& selected);
    awaitable<std::optional<Ended>> meet(imap::Client& client, const imap::Selected& selected);
    awaitable<std::optional<Ended>> go_on(imap::Client& client, const imap::Selected& selected,
                                          std::optional<store::Millis> oldest);
    awaitable<std::optional<Ended>> leave_out(imap::Client& client, std::chrono::sys_days since);
    awaitable<std::optional<Ended>> load();
    awaitable<std::optional<Ended>> find_all(imap::Client& client, ShadowFindings& findings, imap::UidSet& fresh);
    awaitable<std::optional<Ended>> find_news(imap::Client& client, ShadowFindings& findings, imap::UidSet& fresh);
    awaitable<std::optional<Ended>> find_flagged(imap::Client& client, imap::UidSet among, imap::UidSet& flagged);
    awaitable<std::optional<Ended>> read_heads(imap::Client& client, ShadowFindings& findings, imap::UidSet uids);
    awaitable<std::optional<Ended>> write_down(ShadowFindings findings, Looked& looked);
    [[nodiscard]] store::Millis now() const;
    [[nodiscard]] static Ended store_ended(error_code error);

    Facts facts_;
    IntakeHouse house_;
    imap::Client::FetchPlan plan_;
    store::ShadowFolder state_;
    bool known_ = false;      // state_, there_ and flagged_ are what the store has
    imap::UidSet there_;      // what is observed, and not gone
    imap::UidSet flagged_;    // of them, with \Seen
    imap::Uid uid_next_ = 0;  // as EXAMINE said
    std::optional<store::Millis> next_due_;
    std::uint32_t compared_in_vain_ = 0;  // as heads were missing
};

}  // namespace retriever
