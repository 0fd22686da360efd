#include "queue/store/sqlite.hpp"

#include <sqlite3.h>

#include <new>
#include <utility>

namespace store {
namespace {

error_code reason_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return errc::disk_full;
        case SQLITE_CORRUPT:
        case SQLITE_CONSTRAINT:
        case SQLITE_ERROR:  // our words are fixed: the tables are not what they were made
            return errc::damaged;
        case SQLITE_NOTADB:
            return errc::not_a_store;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return errc::in_use;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_READONLY:
            return errc::unreadable;
        case SQLITE_NOMEM:
            throw std::bad_alloc();
        default:
            return errc::io_failed;
    }
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Result<Database> Database::open(const std::string& path, const std::string& vfs) {
    sqlite3* handle = nullptr;
    const int code =
        sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        vfs.empty() ? nullptr : vfs.c_str());
    Database database(handle);
    if (code != SQLITE_OK) return reason_of(code);
    sqlite3_extended_result_codes(handle, 1);
    // Checkpoints are ours: SQLite would keep a failed sync of its automatic ones, and of the one at closing, to
    // itself.
    sqlite3_wal_hook(
        handle,
        [](void* pages, sqlite3*, const char*, int logged) {
            *static_cast<int*>(pages) = logged;
            return SQLITE_OK;
        },
        database.logged_pages_.get());
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return database;
}

Result<void> Database::run(const char* sql) {
    const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return reason_of(code);
    return {};
}

Result<void> Database::checkpoint() {
    const int code = sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (code != SQLITE_OK) return reason_of(code);
    *logged_pages_ = 0;
    return {};
}

void Database::release_memory() noexcept { sqlite3_db_release_memory(handle_.get()); }

std::int64_t Database::changes() const noexcept { return sqlite3_changes64(handle_.get()); }
bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(handle_.get()) == 0; }
std::string Database::last_words() const { return sqlite3_errmsg(handle_.get()); }

Statement::~Statement() { sqlite3_finalize(statement_); }

Result<void> Statement::prepare() {
    if (statement_ != nullptr) return {};
    const int code = sqlite3_prepare_v3(database_.handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (code != SQLITE_OK) return reason_of(code);
    return {};
}

void Statement::bind(int place, std::int64_t value) noexcept { sqlite3_bind_int64(statement_, place, value); }

void Statement::bind(int place, std::string_view value) noexcept {
    sqlite3_bind_text64(statement_, place, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
}

void Statement::bind(int place, Blob value) noexcept {
    sqlite3_bind_blob64(statement_, place, value.empty() ? reinterpret_cast<const unsigned char*>("") : value.data(),
                        value.size(), SQLITE_STATIC);
}

Statement::Rows::~Rows() {
    if (statement_ != nullptr) sqlite3_reset(statement_->statement_);
}

Result<bool> Statement::Rows::next() {
    const int code = sqlite3_step(statement_->statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return {boost::system::in_place_error, reason_of(code)};
}

std::int64_t Statement::Rows::number(int column) const noexcept {
    return sqlite3_column_int64(statement_->statement_, column);
}

std::string Statement::Rows::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_->statement_, column));
    const int size = sqlite3_column_bytes(statement_->statement_, column);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

}  // namespace store
