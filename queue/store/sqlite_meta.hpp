#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "queue/store/sqlite_work.hpp"

namespace store {

/// The rows of `meta`. Short ones are kept in memory, and what one transaction writes into a row several times goes to
/// the database once, at its end.
class SqliteMeta {
public:
    explicit SqliteMeta(SqliteWork& work) : work_(work) {}

    Result<void> put(std::string_view name, std::string_view value);
    Result<std::optional<std::string>> get(std::string_view name);
    Result<void> remove(std::string_view name);

    /// The last words of the transaction; then what became of it.
    Result<void> finish_group();
    void committed() noexcept { changed_.clear(); }
    void rolled_back() noexcept;

private:
    static constexpr std::size_t kept_bytes_max = 256;
    static constexpr std::size_t kept_rows_max = 8192;

    void keep(std::string_view name, std::optional<std::string> value);

    SqliteWork& work_;
    Statement put_{work_.database(),
                   "INSERT INTO meta (name, value) VALUES (?1, ?2) "
                   "ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
    Statement get_{work_.database(), "SELECT value FROM meta WHERE name = ?1"};
    Statement remove_{work_.database(), "DELETE FROM meta WHERE name = ?1"};
    std::unordered_map<std::string, std::optional<std::string>> kept_;  // nullopt: there is no such row
    std::set<std::string> changed_;                                     // of those, in this transaction
};

}  // namespace store
