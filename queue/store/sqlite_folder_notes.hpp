#pragma once

#include <memory>

#include "queue/store/folder_notes.hpp"
#include "queue/store/sqlite_work.hpp"

namespace store {

/// The notes of SqliteStore, in the same transactions. Keeps nothing in memory.
class SqliteFolderNotes final : public FolderNotes {
public:
    explicit SqliteFolderNotes(SqliteWork& work);
    ~SqliteFolderNotes() override;

    Result<std::optional<AfterState>> after_state(FolderNumber folder) override;
    Result<void> put_after_state(const AfterState& state) override;
    Result<std::uint64_t> parked_folders() override;
    Result<std::vector<HandOff>> subscriptions(MailboxNumber mailbox) override;
    Result<std::optional<CopyIntent>> copy_intent(FolderNumber folder) override;
    Result<void> put_copy_intent(const CopyIntent& intent) override;
    Result<void> remove_copy_intent(FolderNumber folder) override;
    Result<std::optional<FirstContact>> first_contact(FolderNumber folder) override;
    Result<void> put_first_contact(const FirstContact& contact) override;
    Result<std::optional<Backfill>> backfill(FolderNumber folder) override;
    Result<void> put_backfill(const Backfill& backfill) override;

private:
    struct Statements;
    SqliteWork& work_;
    std::unique_ptr<Statements> sql_;
};

}  // namespace store
