#pragma once
/// How the parts of SqliteStore speak to their database. Included by its own files only.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "queue/store/records.hpp"
#include "queue/store/reserve.hpp"
#include "queue/store/sqlite.hpp"
#include "queue/store/sqlite_vfs.hpp"

namespace store {

/// Statements run within one group, whose first failure is remembered: it ends the group whatever its job says.
class SqliteWork {
public:
    SqliteWork(std::unique_ptr<SqliteVfs> vfs, Database database, std::shared_ptr<Reserve> reserve)
        : vfs_(std::move(vfs)), database_(std::move(database)), reserve_(std::move(reserve)) {}

    [[nodiscard]] Database& database() noexcept { return database_; }
    [[nodiscard]] error_code failed() const noexcept { return failed_; }
    void forget_failure() noexcept { failed_ = {}; }

    /// Passes a failure on, and remembers it.
    error_code noted(error_code reason) {
        if (reason == errc::disk_full) reserve_->release();
        if (!failed_) failed_ = reason;
        return reason;
    }
    template <class... Values>
    Result<void> write(Statement& statement, const Values&... values) {
        const auto written = statement.run(values...);
        if (!written) return noted(written.error());
        return {};
    }
    template <class Value, class Read, class... Values>
    Result<std::vector<Value>> all(Statement& statement, Read read, const Values&... values) {
        auto rows = statement.query(values...);
        if (!rows) return noted(rows.error());
        std::vector<Value> found;
        for (;;) {
            const auto row = rows->next();
            if (!row) return noted(row.error());
            if (!*row) return found;
            found.push_back(read(*rows));
        }
    }
    template <class Value, class Read, class... Values>
    Result<std::optional<Value>> first(Statement& statement, Read read, const Values&... values) {
        auto rows = statement.query(values...);
        if (!rows) return noted(rows.error());
        const auto row = rows->next();
        if (!row) return noted(row.error());
        if (!*row) return std::optional<Value>();
        return std::optional<Value>(read(*rows));
    }
    /// Of a query that always has a row: of a count, for example.
    template <class Value, class Read, class... Values>
    Result<Value> only(Statement& statement, Read read, const Values&... values) {
        auto found = first<Value>(statement, read, values...);
        if (!found) return {boost::system::in_place_error, found.error()};
        auto& value = *found;
        if (!value) return {boost::system::in_place_error, noted(errc::damaged)};
        return {boost::system::in_place_value, std::move(*value)};
    }

private:
    const std::unique_ptr<SqliteVfs> vfs_;
    Database database_;
    const std::shared_ptr<Reserve> reserve_;
    error_code failed_;
};

/// SQLite counts in signed numbers.
inline std::int64_t whole(std::uint64_t number) noexcept { return static_cast<std::int64_t>(number); }
inline std::int64_t millis(Millis time) noexcept { return time.time_since_epoch().count(); }
inline Millis time_of(std::int64_t count) noexcept { return Millis(std::chrono::milliseconds(count)); }
inline Blob blob(std::string_view bytes) noexcept {
    return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

inline std::int64_t read_number(const Statement::Rows& row) { return row.number(0); }
inline std::string read_text(const Statement::Rows& row) { return row.text(0); }

}  // namespace store
