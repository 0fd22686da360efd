#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/records.hpp"

namespace store {

using SubmissionId = std::int64_t;  // given by the store; rises with acceptance: milliseconds in the upper 43 bits

/// What overtakes what within a mailbox.
enum class Lane : std::uint8_t { alarm, interactive, bulk };
inline constexpr std::array lanes{Lane::alarm, Lane::interactive, Lane::bulk};

enum class SubmissionState : std::uint8_t {
    queued,     // to be sent when it is due
    sending,    // taken: from now on it may have left, whatever the store hears
    in_doubt,   // it may have left: is looked for when it is due, or waits for an operator
    held,       // an operator's word is awaited
    delivered,  // here and below: settled, and its body may go
    failed,
    cancelled,
};
[[nodiscard]] constexpr bool is_settled(SubmissionState state) noexcept { return state >= SubmissionState::delivered; }

/// A message that an application handed in, and what has become of it.
struct Submission {
    SubmissionId id = 0;
    MailboxNumber mailbox = 0;
    SubmissionState state = SubmissionState::queued;
    Lane lane = Lane::interactive;
    std::uint32_t attempts = 0;
    Millis accepted_at{};
    std::optional<Millis> due;  // queued, or in doubt and looked for by itself
    Millis expires_at{};        // not tried again after that
    Millis changed_at{};
    BodyPlace body;
    std::string key;       // of idempotency; empty: none
    std::string envelope;  // opaque here, never changed
    std::string progress;  // opaque here: what has become of each recipient
    std::string reason;    // of the state, for people

    bool operator==(const Submission&) const = default;
};

/// What one attempt, one look, or an operator makes of a submission.
struct Outcome {
    SubmissionState state = SubmissionState::queued;  // any but sending
    std::optional<Millis> due;                        // queued: must be there; in_doubt: may be; others: none
    std::uint32_t attempts = 0;                       // that it counts from now on
    Millis at{};
    std::string progress;
    std::string reason;
};

/// Something that happened to a submission, in order; kept until nobody needs it.
struct OutboxEvent {
    std::int64_t number = 0;  // given by the store: 1, 2, …
    SubmissionId submission = 0;
    MailboxNumber mailbox = 0;
    Millis at{};
    std::string kind;    // "accepted", "delivered", …
    std::string detail;  // opaque here
};

/// The outbound half of the store. As for Store: the committer's thread only, inside its transaction.
class Outbox {
public:
    virtual ~Outbox() = default;

    struct Accepted {
        SubmissionId id = 0;
        bool known_before = false;  // by its key: nothing was written
    };
    /// Takes in what `submission` says but its id; state queued (with a due time) or held.
    /// Errors: unknown_id (no such mailbox), out_of_order (another state).
    virtual Result<Accepted> accept(const Submission& submission) = 0;
    /// Up to `limit` of a mailbox whose time has come, the first lane first, then by due time: queued ones become
    /// sending. They may be acted on once this is durable.
    virtual Result<std::vector<Submission>> take_due(MailboxNumber mailbox, Millis now, std::size_t limit) = 0;
    /// The same for those in doubt, which stay in_doubt, without a due time until they are settled.
    virtual Result<std::vector<Submission>> take_doubtful(MailboxNumber mailbox, Millis now, std::size_t limit) = 0;
    /// What has become of a submission that was taken. Errors: unknown_id, out_of_order when it was not taken.
    virtual Result<void> settle(SubmissionId id, const Outcome& outcome) = 0;
    /// The operator's hand on one that is not being sent. Errors: unknown_id, out_of_order when it is being sent or
    /// settled.
    virtual Result<void> change(SubmissionId id, const Outcome& outcome) = 0;
    /// Those that were taken and never settled: after a restart they may have left.
    virtual Result<std::vector<Submission>> taken(std::size_t limit) = 0;

    virtual Result<std::optional<Submission>> submission(SubmissionId id) = 0;
    virtual Result<std::optional<SubmissionId>> submission_by_key(std::string_view key) = 0;
    /// In order of id, beginning after `after`; all, or those not settled.
    enum class Which { all, waiting };
    virtual Result<std::vector<Submission>> submissions(Which which, SubmissionId after, std::size_t limit) = 0;

    /// When a mailbox has something to do next; nullopt: nothing has a due time.
    struct Due {
        MailboxNumber mailbox = 0;
        std::optional<Millis> queued;
        std::optional<Millis> doubtful;
    };
    virtual Result<Due> due_of(MailboxNumber mailbox) = 0;
    /// Of mailboxes that have something to do, in order of number, beginning after `after`.
    virtual Result<std::vector<Due>> due(MailboxNumber after, std::size_t limit) = 0;

    struct Counts {
        std::uint64_t queued = 0, sending = 0, in_doubt = 0, held = 0;
        bool operator==(const Counts&) const = default;
    };
    virtual Result<Counts> counts_of(MailboxNumber mailbox) = 0;
    virtual Result<Counts> counts() = 0;

    /// Forgets settled submissions before `before`, looking at `limit` of them after `after`; gives where to go on, 0
    /// at the end. Their keys may be used again from then on.
    virtual Result<SubmissionId> forget(SubmissionId after, Millis before, std::size_t limit) = 0;

    virtual Result<std::int64_t> add_event(const OutboxEvent& event) = 0;
    virtual Result<std::vector<OutboxEvent>> events(std::int64_t after, std::size_t limit) = 0;
    virtual Result<void> forget_events(std::int64_t up_to) = 0;
};

}  // namespace store
