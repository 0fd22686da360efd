#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/imap/client.hpp"
#include "queue/store/store.hpp"

namespace retriever {

/// A message of a folder whose UIDVALIDITY has changed, under its new UID.
struct Newcomer {
    store::FolderNumber folder = 0;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid = 0;
    store::Digest fingerprint{};
    bool proves = false;                         // equal fingerprints, equal messages
    std::optional<store::Millis> internal_date;  // nullopt: not said, or not to be read
};

/// Its bytes, which tell more than a fingerprint that proves nothing.
struct BodyFacts {
    std::uint64_t length = 0;
    std::uint32_t crc32c = 0;
};

enum class Standing {
    known,       // this UID is in the ledger
    recognised,  // it was there under another: it has this UID, too, from now on
    not_wanted,  // older than the first contact, and never in the ledger
    doubtful,    // may be in the ledger: handed off once too much, and marked so
    fresh,
};

/// In the committer's transaction. What the ledger knows of it, before its body is fetched or, with `body`, after it.
/// Without a body one whose fingerprint proves nothing is fresh: it has to be fetched.
Result<Standing> standing_of(store::Store& store, const Newcomer& newcomer, store::MailboxNumber mailbox,
                             const std::optional<BodyFacts>& body);

/// Receives the heads of one page of a folder. On the session's coroutine.
class HeadPage final : public imap::FetchSink {
public:
    HeadPage(store::FolderNumber folder, std::uint32_t uid_validity) : folder_(folder), uid_validity_(uid_validity) {}

    Flow body_begins(const imap::FetchItem& known, std::uint64_t bytes) override;
    Flow body_bytes(std::string_view chunk) override;
    Flow fetched(const imap::FetchItem& item) override;
    void body_broken() noexcept override {}
    awaitable<Result<void>> room() override { co_return Result<void>(); }

    [[nodiscard]] std::vector<Newcomer> take() { return std::move(newcomers_); }

private:
    store::FolderNumber folder_;
    std::uint32_t uid_validity_;
    std::string head_;
    std::vector<Newcomer> newcomers_;
};

}  // namespace retriever
