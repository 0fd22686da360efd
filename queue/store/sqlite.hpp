#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace store {

/// One SQLite connection. One thread at a time.
class Database {
public:
    /// `vfs`: the name of a registered VFS; empty: the default one. Errors: unreadable, not_a_store, io_failed, ….
    static Result<Database> open(const std::string& path, const std::string& vfs);

    /// Runs statements that give no rows.
    Result<void> run(const char* sql);
    /// Moves what the write-ahead log holds into the database file and syncs it. Not done by closing.
    Result<void> checkpoint();
    /// How many pages the log held after the last commit.
    [[nodiscard]] int logged_pages() const noexcept { return *logged_pages_; }
    /// How many rows the last INSERT, UPDATE or DELETE touched.
    [[nodiscard]] std::int64_t changes() const noexcept;
    /// Gives back what the page cache holds.
    void release_memory() noexcept;
    [[nodiscard]] bool in_transaction() const noexcept;
    /// SQLite's words about the last error.
    [[nodiscard]] std::string last_words() const;
    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept;
    };
    explicit Database(sqlite3* handle) : logged_pages_(std::make_unique<int>(0)), handle_(handle) {}

    std::unique_ptr<int> logged_pages_;  // SQLite's hook writes here
    std::unique_ptr<sqlite3, Close> handle_;
};

using Blob = std::span<const unsigned char>;

/// A statement, prepared when it is first used and then kept. Ends before its database.
class Statement {
public:
    Statement(const Database& database, const char* sql) noexcept : database_(database), sql_(sql) {}
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    /// The rows of one run; the statement is reset when they end. One at a time. Values outlive them.
    class Rows {
    public:
        explicit Rows(Statement& statement) noexcept : statement_(&statement) {}
        Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
        Rows& operator=(Rows&&) = delete;
        ~Rows();
        /// Steps to the next row; false when there is none.
        Result<bool> next();
        [[nodiscard]] std::int64_t number(int column) const noexcept;
        [[nodiscard]] std::string text(int column) const;

    private:
        Statement* statement_;
    };

    template <class... Values>
    Result<Rows> query(const Values&... values) {
        const auto ready = prepare();
        if (!ready) return ready.error();
        int place = 0;
        (bind(++place, values), ...);
        return Rows(*this);
    }
    /// Runs to the end, without rows.
    template <class... Values>
    Result<void> run(const Values&... values) {
        auto rows = query(values...);
        if (!rows) return rows.error();
        const auto stepped = rows->next();
        if (!stepped) return stepped.error();
        return {};
    }

private:
    Result<void> prepare();
    void bind(int place, std::int64_t value) noexcept;
    void bind(int place, std::string_view value) noexcept;
    void bind(int place, Blob value) noexcept;

    const Database& database_;
    const char* sql_;
    sqlite3_stmt* statement_ = nullptr;
};

}  // namespace store
