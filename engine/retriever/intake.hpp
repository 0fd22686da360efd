#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/retriever/job_line.hpp"

namespace retriever {

/// Where a body streams to, used by jobs on the committer's thread alone.
struct Streaming;

/// A large body whose connection was lost half-way. The next session goes on where this one ended.
struct Unfinished {
    std::uint32_t uid_validity = 0;
    imap::Uid uid = 0;
    std::uint64_t bytes = 0;
    std::uint64_t received = 0;
    std::string head;  // for the fingerprint
    std::string internal_date;
    std::shared_ptr<Streaming> streaming;
};

/// Takes the bodies of one folder from a FETCH dialogue to the committer: small ones whole, large ones chunk by chunk.
/// Counts every byte in the shard's budget, and moves the durable cursor with each message that came in order.
/// On the session's shard; jobs may outlive it.
class Intake final : public imap::FetchSink {
public:
    struct Source {
        std::string mailbox_id;
        store::MailboxNumber mailbox = 0;
        store::Folder folder;
        std::uint32_t uid_validity = 0;
        bool recognises = false;  // UIDVALIDITY has changed: the ledger may have a message under another UID
        bool renumbered = false;  // it has at any time: a UID may have stood for another message
    };
    struct Sizes {
        std::uint64_t stream_above_bytes = 256 * 1024;
        // Large bodies go to the committer in blocks of one size: few jobs, and memory that fits where the last one
        // was.
        std::size_t block_bytes = 64 * 1024;
        std::uint64_t message_bytes_max = 150ULL * 1024 * 1024;
        std::uint64_t in_flight_bytes_max = 4ULL * 1024 * 1024;  // of one session, between socket and disk
        std::size_t head_bytes_max = 64 * 1024;
    };
    using House = IntakeHouse;

    Intake(Source source, Sizes sizes, House house, std::uint32_t cursor);
    ~Intake() override;
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    /// What is asked for next, in ascending order: the cursor follows as long as answers come in this order.
    void expect(const imap::UidSet& wanted);
    /// All that was expected below this UID has come, and it has not.
    [[nodiscard]] bool is_next(imap::Uid uid) const noexcept {
        return !remaining_.empty() && remaining_.ranges().front().first == uid;
    }
    /// The rest of a body comes next.
    void resume(Unfinished unfinished);
    /// It was answered, with or without bytes: what comes next begins at its first byte.
    void rest_is_over();

    Flow body_begins(const imap::FetchItem& known, std::uint64_t bytes) override;
    Flow body_bytes(std::string_view chunk) override;
    Flow fetched(const imap::FetchItem& item) override;
    void body_broken() noexcept override;
    awaitable<Result<void>> room() override;

    /// Waits until every job has come back. Errors: the first failure of the store.
    awaitable<Result<void>> settle();

    [[nodiscard]] const Progress& progress() const noexcept { return *line_.progress(); }
    /// Every expected UID up to here was handed to the committer in order.
    [[nodiscard]] std::uint32_t frontier() const noexcept { return frontier_; }
    /// Everything expected so far is accounted for up to `top`, durably.
    void accounted(std::uint32_t top);
    /// Messages given to the committer so far.
    [[nodiscard]] std::uint64_t handed_over() const noexcept { return handed_over_; }
    /// Came with a body that could not be taken, so that they are not accounted for by their answer; once.
    [[nodiscard]] imap::UidSet take_dropped() { return std::exchange(dropped_, {}); }
    /// Larger than message_bytes_max, so not taken; once.
    [[nodiscard]] imap::UidSet take_oversize() { return std::exchange(oversize_, {}); }
    /// Another text came in place of the message, so it was not taken; once. See is_stand_in().
    [[nodiscard]] imap::UidSet take_stood_in() { return std::exchange(stood_in_, {}); }
    /// After a lost connection and settle().
    [[nodiscard]] std::optional<Unfinished> take_unfinished();

private:
    void put_block();
    void drop_streaming() noexcept;

    Source source_;
    Sizes sizes_;
    JobLine line_;
    imap::UidSet remaining_;
    std::uint32_t frontier_;
    imap::UidSet oversize_;
    imap::UidSet dropped_;
    imap::UidSet stood_in_;
    std::uint64_t handed_over_ = 0;

    // The body that is coming in.
    std::string body_;  // all of a small one, the last block of a large one
    std::string head_;
    std::uint64_t announced_ = 0;
    std::uint64_t received_ = 0;
    imap::Uid uid_ = 0;
    std::string internal_date_;
    std::shared_ptr<Streaming> streaming_;
    enum class Taking { nothing, whole, streaming, oversize } taking_ = Taking::nothing;
    bool resuming_ = false;
};

}  // namespace retriever
