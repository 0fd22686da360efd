#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "protocols/imap/client.hpp"
#include "queue/store/shadows.hpp"
#include "queue/store/store.hpp"

namespace retriever {

/// A mail whose head was read in a folder that another product serves.
struct ShadowHead {
    imap::Uid uid = 0;
    store::Digest fingerprint{};
    std::string message_id;
    std::uint64_t bytes = 0;
    std::optional<store::Millis> internal_date;  // nullopt: not said, or not to be read
    bool seen = false;
};

/// Receives heads. On the session's coroutine.
class ShadowHeads final : public imap::FetchSink {
public:
    Flow body_begins(const imap::FetchItem& known, std::uint64_t bytes) override;
    Flow body_bytes(std::string_view chunk) override;
    Flow fetched(const imap::FetchItem& item) override;
    void body_broken() noexcept override {}
    awaitable<Result<void>> room() override { co_return Result<void>(); }

    [[nodiscard]] std::vector<ShadowHead> take() { return std::move(heads_); }

private:
    std::string head_;
    std::vector<ShadowHead> heads_;
};

/// What a look at a folder has found, or a part of it.
struct ShadowFindings {
    store::Millis began{};  // the look
    store::Millis ended{};
    std::vector<ShadowHead> heads;  // of UIDs that were not known to be there
    bool headless = false;          // a mail gave no head
    imap::UidSet seen;              // flagged since
    imap::UidSet gone;
    bool complete = false;     // the last part: what is not taken was not taken when the look began
    imap::Uid top = 0;         // complete: everything up to here was looked at
    imap::Uid settled = 0;     // complete: see store::ShadowFolder
    std::uint64_t unseen = 0;  // complete: UIDs that were given out since, and are not there any more
};

/// What was written down of it.
struct ShadowEntered {
    store::ShadowFolder folder;  // as it is now
    imap::UidSet there;          // of the heads: what is observed from now on
    imap::UidSet seen;           // of those
    std::uint64_t arrived = 0;
    std::uint64_t recognised = 0;  // known under other UIDs: what is there has to be read again
    std::uint64_t lost = 0;        // gone together with their UIDVALIDITY
    std::uint64_t missed = 0;
    std::optional<store::Millis> next_due;  // when the time of the next one is over
};

/// In the committer's transaction. A mail that was known under another UID (UIDVALIDITY has changed, or the server had
/// not settled it) keeps its row. One that the mailbox had in another place is observed there alone.
Result<ShadowEntered> enter(store::Store& store, store::ShadowFolder folder, const ShadowFindings& findings,
                            const config::Shadow& shadow);

}  // namespace retriever
