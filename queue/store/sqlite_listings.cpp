#include "queue/store/sqlite_listings.hpp"

#include <algorithm>

namespace store {
namespace {

Listed read_listed(const Statement::Rows& row) {
    Listed listed{.folder = row.number(0),
                  .key = row.text(1),
                  .uid = static_cast<std::uint32_t>(row.number(2)),
                  .state = static_cast<Listed::State>(row.number(3)),
                  .where = static_cast<Listed::Where>(row.number(4)),
                  .bytes = static_cast<std::uint64_t>(row.number(5))};
    const std::string fingerprint = row.text(6);
    std::copy_n(fingerprint.begin(), std::min(fingerprint.size(), listed.fingerprint.size()),
                listed.fingerprint.begin());
    return listed;
}

Visit read_visit(const Statement::Rows& row) {
    return {.due = time_of(row.number(0)),
            .not_before = time_of(row.number(1)),
            .interval = std::chrono::milliseconds(row.number(2))};
}

constexpr auto there_value = static_cast<std::int64_t>(Listed::Where::there);
constexpr auto gone_value = static_cast<std::int64_t>(Listed::Where::gone);
static_assert(there_value == 0 && gone_value == 1, "the partial indexes of the schema say so");

}  // namespace

struct SqliteListings::Statements {
    explicit Statements(const Database& database) : db(database) {}
    const Database& db;

    // By name, as SQLite would walk the primary key instead, over all that a folder has ever listed.
    Statement there{db,
                    "SELECT folder, key, uid, state, place, bytes, fingerprint FROM listed INDEXED BY listed_there "
                    "WHERE folder = ?1 AND key > ?2 AND place = 0 ORDER BY key LIMIT ?3"};
    Statement find{db,
                   "SELECT folder, key, uid, state, place, bytes, fingerprint FROM listed "
                   "WHERE folder = ?1 AND key = ?2"};
    Statement gone_with{db,
                        "SELECT folder, key, uid, state, place, bytes, fingerprint FROM listed INDEXED BY listed_gone "
                        "WHERE folder = ?1 AND fingerprint = ?2 AND place = 1 ORDER BY key LIMIT 1"};
    Statement has_gone{db,
                       "SELECT EXISTS (SELECT 1 FROM listed INDEXED BY listed_gone WHERE folder = ?1 AND place = 1)"};
    Statement put{db,
                  "INSERT INTO listed (folder, key, uid, state, place, bytes, fingerprint) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (folder, key) DO UPDATE SET uid = excluded.uid, "
                  "state = excluded.state, place = excluded.place, bytes = excluded.bytes, "
                  "fingerprint = excluded.fingerprint"};
    Statement forget{db, "DELETE FROM listed WHERE folder = ?1 AND key = ?2"};
    Statement visit{db, "SELECT due, not_before, span FROM visit WHERE folder = ?1"};
    Statement put_visit{db,
                        "INSERT INTO visit (folder, due, not_before, span) VALUES (?1, ?2, ?3, ?4) "
                        "ON CONFLICT (folder) DO UPDATE SET due = excluded.due, not_before = excluded.not_before, "
                        "span = excluded.span"};
};

SqliteListings::SqliteListings(SqliteWork& work) : work_(work), sql_(std::make_unique<Statements>(work_.database())) {}

SqliteListings::~SqliteListings() = default;

Result<std::vector<Listed>> SqliteListings::there(FolderNumber folder, std::string_view after, std::size_t limit) {
    return work_.all<Listed>(sql_->there, read_listed, folder, after, whole(limit));
}

Result<std::optional<Listed>> SqliteListings::find(FolderNumber folder, std::string_view key) {
    return work_.first<Listed>(sql_->find, read_listed, folder, key);
}

Result<std::optional<Listed>> SqliteListings::gone_with(FolderNumber folder, const Digest& fingerprint) {
    auto known = may_have_gone_.find(folder);
    if (known == may_have_gone_.end()) {
        const auto any = work_.only<std::int64_t>(sql_->has_gone, read_number, folder);
        if (!any) return any.error();
        known = may_have_gone_.emplace(folder, *any != 0).first;
    }
    if (!known->second) return std::optional<Listed>();
    return work_.first<Listed>(sql_->gone_with, read_listed, folder, Blob(fingerprint));
}

Result<void> SqliteListings::put(const Listed& row) {
    if (row.where == Listed::Where::gone) may_have_gone_[row.folder] = true;  // also if the transaction fails
    return work_.write(sql_->put, row.folder, std::string_view(row.key), static_cast<std::int64_t>(row.uid),
                       static_cast<std::int64_t>(row.state), static_cast<std::int64_t>(row.where), whole(row.bytes),
                       Blob(row.fingerprint));
}

Result<void> SqliteListings::rename(FolderNumber folder, std::string_view from, std::string_view to) {
    auto found = find(folder, from);
    if (!found) return found.error();
    auto& row = *found;
    if (!row) return errc::unknown_id;
    const auto forgotten = work_.write(sql_->forget, folder, from);
    if (!forgotten) return forgotten;
    row->key = to;
    return put(*row);
}

Result<std::optional<Visit>> SqliteListings::visit(FolderNumber folder) {
    return work_.first<Visit>(sql_->visit, read_visit, folder);
}

Result<void> SqliteListings::put_visit(FolderNumber folder, const Visit& visit) {
    return work_.write(sql_->put_visit, folder, millis(visit.due), millis(visit.not_before),
                       static_cast<std::int64_t>(visit.interval.count()));
}

}  // namespace store
