#pragma once

#include <memory>

#include "queue/store/shadows.hpp"
#include "queue/store/sqlite_work.hpp"

namespace store {

/// What SqliteStore has observed, in the same transactions. Keeps nothing in memory.
class SqliteShadows final : public Shadows {
public:
    explicit SqliteShadows(SqliteWork& work);
    ~SqliteShadows() override;

    Result<std::optional<ShadowFolder>> folder(FolderNumber folder) override;
    Result<std::vector<ShadowFolder>> folders(MailboxNumber mailbox) override;
    Result<void> put_folder(const ShadowFolder& folder) override;
    Result<std::int64_t> add(const ShadowMail& mail) override;
    Result<std::optional<ShadowMail>> find(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) override;
    Result<std::vector<ShadowMail>> alike(MailboxNumber mailbox, const Digest& fingerprint, std::size_t limit) override;
    Result<void> renumber(std::int64_t number, std::uint32_t uid_validity, std::uint32_t uid) override;
    Result<void> put_seen(std::int64_t number, const ShadowEvent& seen) override;
    Result<void> put_gone(std::int64_t number, const std::optional<ShadowEvent>& gone) override;
    Result<std::uint64_t> lose_others(FolderNumber folder, std::uint32_t uid_validity,
                                      const ShadowEvent& gone) override;
    Result<std::vector<ShadowUid>> there(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t after,
                                         std::size_t limit) override;
    Result<std::optional<Millis>> oldest_there(FolderNumber folder) override;
    Result<std::uint64_t> forget(MailboxNumber mailbox, Millis before, std::size_t limit) override;
    Result<std::vector<ShadowMail>> mails(MailboxNumber mailbox, const Place& after, std::size_t limit) override;
    Result<std::uint64_t> not_taken(FolderNumber folder, Taken taken, Millis arrived_until) override;
    Result<std::optional<Millis>> next_not_taken(FolderNumber folder, Taken taken, Millis arrived_after) override;

private:
    struct Statements;
    SqliteWork& work_;
    std::unique_ptr<Statements> sql_;
};

}  // namespace store
