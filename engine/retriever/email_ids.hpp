#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocols/imap/client.hpp"
#include "queue/store/store.hpp"

namespace retriever {

/// What a server says of a message without its bytes, when it has ids that messages keep in every folder.
struct Labelled {
    imap::Uid uid = 0;
    std::string email_id;
    std::uint64_t bytes = 0;
    std::optional<store::Millis> internal_date;
};

/// In the committer's transaction: the message of the ledger that this one is a copy of; 0: none that can be told so.
/// Beside the id, size and date must be the same: what a server gives one id to by mistake is fetched and compared.
Result<store::Seq> original_of(store::Store& store, store::MailboxNumber mailbox, const Labelled& labelled);

/// Receives the email ids of one page of a folder. On the session's coroutine.
class EmailIdPage final : public imap::FetchSink {
public:
    Flow body_begins(const imap::FetchItem&, std::uint64_t) override { return Flow::go_on; }
    Flow body_bytes(std::string_view) override { return Flow::go_on; }
    Flow fetched(const imap::FetchItem& item) override;
    void body_broken() noexcept override {}
    awaitable<Result<void>> room() override { co_return Result<void>(); }

    [[nodiscard]] std::vector<Labelled> take() { return std::move(labelled_); }

private:
    std::vector<Labelled> labelled_;
};

}  // namespace retriever
