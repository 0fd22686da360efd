#pragma once

#include <memory>

#include "queue/store/accounting.hpp"
#include "queue/store/sqlite_work.hpp"

namespace store {

/// The accounting of SqliteStore, in the same transactions. Keeps nothing in memory.
class SqliteAccounting final : public Accounting {
public:
    explicit SqliteAccounting(SqliteWork& work);
    ~SqliteAccounting() override;

    Result<std::optional<Millis>> wanted_from(FolderNumber folder) override;
    Result<void> put_wanted_from(FolderNumber folder, Millis from) override;
    Result<void> pass_over(FolderNumber folder, std::uint32_t uid_validity, UidSpan span) override;
    Result<std::vector<UidSpan>> passed_over(FolderNumber folder, std::uint32_t uid_validity) override;

    Result<std::optional<Renumbering>> renumbering(FolderNumber folder) override;
    Result<std::uint64_t> renumberings(FolderNumber folder, Millis since) override;
    Result<void> put_renumbering(const Renumbering& renumbering) override;
    Result<void> gather(Renumbering& renumbering, MailboxNumber mailbox, std::size_t messages_max) override;
    Result<void> conclude(Renumbering& renumbering) override;
    Result<Matches> matches(FolderNumber folder, const Digest& fingerprint) override;
    Result<void> recognise(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid, Seq seq) override;

    Result<Seq> seq_of_email_id(MailboxNumber mailbox, std::string_view id) override;
    Result<void> note_email_id(MailboxNumber mailbox, std::string_view id, Seq seq) override;
    Result<void> mark_repeat(MailboxNumber mailbox, Seq seq) override;
    Result<std::vector<Seq>> marked_repeats(MailboxNumber mailbox, Seq first, Seq last) override;

private:
    struct Statements;
    Result<void> write_stage(const Renumbering& renumbering);
    SqliteWork& work_;
    std::unique_ptr<Statements> sql_;
};

}  // namespace store
