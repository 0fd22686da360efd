#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/retriever/intake.hpp"
#include "engine/retriever/listing.hpp"

namespace retriever {

/// Takes the bodies of a POP3 session to the committer: small ones whole, large ones block by block while they arrive.
/// Each becomes a ledger row and a row of its key in one step, which also gives it its UID. A message that turns out to
/// be one that was handed off before, under another key or in another folder, gets no second row. On the session's
/// shard; jobs may outlive it.
class ListedIntake final : public imap::FetchSink {
public:
    struct Source {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        std::string folder_name;
        store::FolderNumber folder = 0;
        std::shared_ptr<imap::UidSet> there{};  // of messages that are listed and known; meanwhile the jobs'
    };
    ListedIntake(Source source, Intake::Sizes sizes, IntakeHouse house);
    ~ListedIntake() override;
    ListedIntake(const ListedIntake&) = delete;
    ListedIntake& operator=(const ListedIntake&) = delete;

    /// What is asked for next.
    void expect(const std::vector<ListingEntry>& wanted);

    Flow body_begins(const imap::FetchItem& known, std::uint64_t bytes) override;
    Flow body_bytes(std::string_view chunk) override;
    Flow fetched(const imap::FetchItem& item) override;
    void body_broken() noexcept override;
    awaitable<Result<void>> room() override { return line_.room(); }
    /// Waits until every job has come back. Errors: the first failure of the store.
    awaitable<Result<void>> settle() { return line_.settle(); }

    [[nodiscard]] const Progress& progress() const noexcept { return *line_.progress(); }
    /// Much larger than listed, so that they have to be fetched again, with the size that they have; once.
    [[nodiscard]] std::vector<ListingEntry> take_again() { return std::exchange(again_, {}); }
    /// Larger than message_bytes_max; once.
    [[nodiscard]] std::vector<ListingEntry> take_oversize() { return std::exchange(oversize_, {}); }

private:
    void begin_streaming();
    void put_blocks(std::string_view chunk);
    void put_block();
    void drop_streaming() noexcept;

    Source source_;
    Intake::Sizes sizes_;
    JobLine line_;
    std::map<pop3::Number, ListingEntry> wanted_;
    std::vector<ListingEntry> again_;
    std::vector<ListingEntry> oversize_;

    // The body that is coming in.
    std::string body_;  // all of a small one, the last block of a large one
    std::string head_;  // of a large one
    std::uint64_t listed_bytes_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t room_bytes_ = 0;  // of a large one, in its segment
    std::shared_ptr<Streaming> streaming_;
    enum class Taking { nothing, whole, streaming, too_much } taking_ = Taking::nothing;
};

/// The UID of the folder's next message, which the cursor has passed then. In the committer's transaction.
Result<std::uint32_t> next_uid(store::Store& store, store::MailboxNumber mailbox, std::string_view folder_name);

/// What stands for UIDVALIDITY in the ledger of a folder whose UIDs are ours.
inline constexpr std::uint32_t own_uid_validity = 1;

}  // namespace retriever
