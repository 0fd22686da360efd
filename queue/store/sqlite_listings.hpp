#pragma once

#include <memory>
#include <unordered_map>

#include "queue/store/listings.hpp"
#include "queue/store/sqlite_work.hpp"

namespace store {

/// The listings of SqliteStore, in the same transactions.
class SqliteListings final : public Listings {
public:
    explicit SqliteListings(SqliteWork& work);
    ~SqliteListings() override;

    Result<std::vector<Listed>> there(FolderNumber folder, std::string_view after, std::size_t limit) override;
    Result<std::optional<Listed>> find(FolderNumber folder, std::string_view key) override;
    Result<std::optional<Listed>> gone_with(FolderNumber folder, const Digest& fingerprint) override;
    Result<void> put(const Listed& row) override;
    Result<void> rename(FolderNumber folder, std::string_view from, std::string_view to) override;
    Result<std::optional<Visit>> visit(FolderNumber folder) override;
    Result<void> put_visit(FolderNumber folder, const Visit& visit) override;

private:
    struct Statements;
    SqliteWork& work_;
    std::unique_ptr<Statements> sql_;
    std::unordered_map<FolderNumber, bool> may_have_gone_;  // those that were asked for; false is certain
};

}  // namespace store
