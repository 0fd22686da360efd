#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "queue/store/outbox.hpp"
#include "queue/store/sqlite_work.hpp"

namespace store {

/// The outbound half of SqliteStore, in the same transactions. Numbers of what waits are kept in memory.
class SqliteOutbox final : public Outbox {
public:
    explicit SqliteOutbox(SqliteWork& work);
    ~SqliteOutbox() override;

    struct Loaded {
        std::uint64_t last_segment = 0;      // that any row names
        std::vector<BodyPlace> last_bodies;  // of the newest submissions: what a crash may have hit
    };
    Result<Loaded> load();
    /// The last words of the transaction; then what became of it.
    Result<void> finish_group();
    void committed() noexcept;
    void rolled_back() noexcept;

    [[nodiscard]] std::uint64_t last_segment() const noexcept { return last_segment_; }
    /// Whether a submission that is not settled has its body there.
    Result<bool> needs(std::uint64_t segment);
    /// The segment's number is forgotten; its last place in the order of numbers is the caller's to remember.
    Result<void> let_go(std::uint64_t segment);

    Result<Accepted> accept(const Submission& submission) override;
    Result<std::vector<Submission>> take_due(MailboxNumber mailbox, Millis now, std::size_t limit) override;
    Result<std::vector<Submission>> take_doubtful(MailboxNumber mailbox, Millis now, std::size_t limit) override;
    Result<void> settle(SubmissionId id, const Outcome& outcome) override;
    Result<void> change(SubmissionId id, const Outcome& outcome) override;
    Result<std::vector<Submission>> taken(std::size_t limit) override;
    Result<std::optional<Submission>> submission(SubmissionId id) override;
    Result<std::optional<SubmissionId>> submission_by_key(std::string_view key) override;
    Result<std::vector<Submission>> submissions(Which which, SubmissionId after, std::size_t limit) override;
    Result<Due> due_of(MailboxNumber mailbox) override;
    Result<std::vector<Due>> due(MailboxNumber after, std::size_t limit) override;
    Result<Counts> counts_of(MailboxNumber mailbox) override;
    Result<Counts> counts() override;
    Result<SubmissionId> forget(SubmissionId after, Millis before, std::size_t limit) override;
    Result<std::int64_t> add_event(const OutboxEvent& event) override;
    Result<std::vector<OutboxEvent>> events(std::int64_t after, std::size_t limit) override;
    Result<void> forget_events(std::int64_t up_to) override;

private:
    struct Statements;
    struct Use {
        std::int64_t live = 0;
        std::uint64_t bytes_end = 0;
    };
    struct Moved {
        MailboxNumber mailbox;
        SubmissionState from, to;  // a settled state: not counted
    };

    Result<std::vector<Submission>> take(MailboxNumber mailbox, std::int64_t from_lane, std::int64_t to_lane,
                                         Millis now, std::size_t limit);
    Result<std::vector<Submission>> read_all(const std::vector<SubmissionId>& ids);
    Result<Submission> existing(SubmissionId id, errc absent);
    Result<void> put(const Submission& before, const Outcome& outcome);
    Result<void> put_due(const Submission& submission);
    Result<void> remove_due(const Submission& submission);
    Result<void> begin_attempt(Submission& submission);
    /// The first time in each lane, and that of the next look for what is in doubt.
    using LaneTimes = std::array<std::optional<Millis>, lanes.size() + 1>;
    Result<LaneTimes> earliest(MailboxNumber mailbox);
    void keep_times(MailboxNumber mailbox, const LaneTimes& times);
    void count(MailboxNumber mailbox, SubmissionState from, SubmissionState to);
    std::uint64_t* counter(MailboxNumber mailbox, SubmissionState state);

    SqliteWork& work_;
    std::unique_ptr<Statements> sql_;
    std::unordered_map<MailboxNumber, Counts> counts_;
    std::vector<Moved> group_;                            // what this transaction moved
    std::unordered_map<std::uint64_t, Use> in_use_;       // segments, what this transaction changes of them
    std::unordered_map<MailboxNumber, LaneTimes> times_;  // as the rows say; of some mailboxes
    std::unordered_map<SubmissionId, Submission> begun_;  // taken since the start, without their texts
    SubmissionId last_id_ = 0;
    std::int64_t last_event_ = 0;
    std::int64_t last_event_committed_ = 0;
    std::uint64_t last_segment_ = 0;
};

}  // namespace store
