#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/retriever/after_policy.hpp"
#include "engine/retriever/listed_intake.hpp"
#include "engine/retriever/listing.hpp"
#include "engine/retriever/mail_head.hpp"
#include "engine/retriever/verdict.hpp"
#include "engine/runtime/audit.hpp"
#include "protocols/pop3/client.hpp"

namespace retriever {

/// One POP3 mailbox during one connection: compares its listing with the ledger, takes in what was never handed off,
/// and removes what may go. One session, one shard.
class Maildrop {
public:
    /// The folder's name in the ledger: POP3 has one, and UIDs that are ours.
    static constexpr const char* folder_name = "INBOX (POP3)";

    struct Facts {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        config::Start start;
        AfterPolicy after;
        store::Millis nothing_due_before{};  // as an earlier visit found
    };
    Maildrop(Facts facts, Intake::Sizes sizes, IntakeHouse house);

    struct Taken {
        std::uint64_t listed = 0;
        std::uint64_t stored = 0;
        std::uint64_t known_before = 0;
        std::uint64_t bytes = 0;
        std::uint64_t pending = 0;
        std::uint64_t recognised = 0;        // listed under another key than before, or back again
        std::uint64_t to_acknowledge = 0;    // with `after: delete`: stored, and not acknowledged by all consumers
        store::Millis nothing_due_before{};  // of what is to be removed, if nothing is recognised meanwhile
        std::optional<Ended> ended;
    };
    /// All that was told is durable when it ends. `stop` is looked at between slices.
    awaitable<Taken> take_new(pop3::Client& client, const bool& stop);
    struct Audited {
        runtime::FolderAudit result;
        std::uint64_t found = 0;  // unknown ones, which it has fetched then
        std::uint64_t stored = 0;
        std::optional<Ended> ended;
    };
    /// Compares the listing with the ledger, and fetches what is unknown. After take_new(), before anything is removed.
    awaitable<Audited> audit(pop3::Client& client, const bool& stop);
    /// With `after: delete`: DELE for what every consumer has acknowledged, and whose delay is over. Gone only once
    /// QUIT was accepted.
    awaitable<std::optional<Ended>> remove_acknowledged(pop3::Client& client, Taken& taken);
    /// QUIT was accepted.
    awaitable<std::optional<Ended>> removed();
    [[nodiscard]] std::size_t to_be_removed() const noexcept { return removing_.size(); }

private:
    awaitable<std::optional<Ended>> open();
    awaitable<std::optional<Ended>> read_listing(pop3::Client& client);
    awaitable<std::optional<Ended>> read_there();
    awaitable<std::optional<Ended>> first_contact(pop3::Client& client);
    awaitable<std::optional<Ended>> compare(pop3::Client& client, Taken& taken);
    awaitable<std::optional<Ended>> look_up_gone(std::vector<ListingEntry> unknown);
    awaitable<std::optional<Ended>> recognise(pop3::Client& client, Taken& taken);
    awaitable<std::optional<Ended>> settle_changed(pop3::Client& client);
    struct Compared {
        runtime::FolderAudit result;
        std::vector<ListingEntry> unknown;
        std::optional<Ended> ended;
    };
    awaitable<Compared> compare_listing();
    struct Changes {
        std::vector<std::pair<std::string, std::string>> renamed;  // keys, unless the old one is listed
        std::vector<store::Listed> put;
    };
    awaitable<std::optional<Ended>> keep(Changes changes);
    using Heads = std::map<pop3::Number, MailHead>;
    awaitable<Result<Heads>> read_heads(pop3::Client& client, std::vector<ListingEntry> wanted);
    awaitable<std::optional<Ended>> fetch(pop3::Client& client, const bool& stop, Taken& taken);
    awaitable<std::optional<Ended>> keep_pending(std::vector<ListingEntry> entries, std::string reason);
    awaitable<std::optional<Ended>> note_gone();
    struct Due {
        std::vector<std::string> keys;
        std::uint64_t to_acknowledge = 0;
        store::Millis next = store::Millis::max();  // of what is not due: not before
    };
    awaitable<Result<Due>> look_up_due_ones(std::vector<store::Listed> rows);
    void is_there(const store::Listed& row);
    [[nodiscard]] Ended store_ended(error_code error) const;
    [[nodiscard]] std::string too_large() const;

    Facts facts_;
    Intake::Sizes sizes_;
    IntakeHouse house_;
    store::Folder folder_;
    std::vector<ListingEntry> listing_;
    std::vector<store::Listed> there_;
    ListingPlan plan_;
    std::map<std::string, store::Listed> gone_before_;                              // rows of keys that come back
    std::shared_ptr<imap::UidSet> known_there_ = std::make_shared<imap::UidSet>();  // of stored rows that are listed
    std::vector<store::Listed> lost_;     // rows whose key is not listed any more, or is another message's
    std::vector<ListingEntry> replaced_;  // the latter messages
    std::deque<ListingEntry> fetch_;
    std::map<pop3::Number, MailHead> heads_;  // where the server has no UIDL
    std::vector<std::string> removing_;       // keys
};

}  // namespace retriever
