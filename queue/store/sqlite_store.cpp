#include "queue/store/sqlite_store.hpp"

#include <fmt/format.h>

#include <charconv>

#include "queue/store/schema.hpp"
#include "queue/store/sqlite_statements.hpp"

namespace store {
namespace {

// Rows of `meta` that are the store's own.
constexpr std::string_view messages_row = "store.messages";
constexpr std::string_view last_segment_row = "store.last_segment";
constexpr std::string_view last_bodies_row = "store.last_bodies";

std::string printed(const std::vector<BodyPlace>& places) {
    std::string text;
    for (const auto& place : places) {
        fmt::format_to(std::back_inserter(text), "{} {} {} {}\n", place.segment, place.offset, place.length,
                       place.crc32c);
    }
    return text;
}

std::vector<BodyPlace> places_of(std::string_view text) {
    std::vector<BodyPlace> places;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto take = [&at, end](auto& number) {
        at = std::from_chars(at, end, number).ptr;
        if (at != end) ++at;
    };
    while (at != end) {
        BodyPlace& place = places.emplace_back();
        take(place.segment);
        take(place.offset);
        take(place.length);
        take(place.crc32c);
    }
    return places;
}

Object read_object(const Statement::Rows& row) { return {row.text(0), row.text(1), row.text(2)}; }

Grant read_grant(const Statement::Rows& row) {
    return {.credential = row.text(0),
            .generation = static_cast<std::uint64_t>(row.number(1)),
            .sealed = row.text(2),
            .access_expires_at = time_of(row.number(3)),
            .state = row.text(4),
            .reason = row.text(5)};
}

Blob blob(std::string_view bytes) { return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}; }

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<SqliteVfs> vfs, Database database, std::shared_ptr<Reserve> reserve,
                         Options options)
    : vfs_(std::move(vfs)),
      database_(std::move(database)),
      reserve_(std::move(reserve)),
      options_(std::move(options)),
      sql_(std::make_unique<Statements>(database_)) {}

SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Disk& disk, const Path& path, std::shared_ptr<Reserve> reserve,
                                                       Options options) {
    auto vfs = std::make_unique<SqliteVfs>(disk);
    auto database = Database::open(path.string(), vfs->name());
    if (!database) return database.error();
    // EXCLUSIVE comes before the first access: no other connection ever joins, and no shared memory is needed.
    const std::string pragmas = fmt::format(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
        "PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON",
        options.cache_bytes / 1024);
    const auto set_up = database->run(pragmas.c_str());
    if (!set_up) return set_up.error();
    const auto prepared = prepare_schema(*database);
    if (!prepared) return prepared.error();
    std::unique_ptr<SqliteStore> opened(
        new SqliteStore(std::move(vfs), std::move(*database), std::move(reserve), std::move(options)));
    const auto loaded = opened->load_tally();
    if (!loaded) return loaded.error();
    return opened;
}

Result<void> SqliteStore::load_tally() {
    const auto messages = meta(messages_row);
    if (!messages) return messages.error();
    const auto segment = meta(last_segment_row);
    if (!segment) return segment.error();
    const auto bodies = meta(last_bodies_row);
    if (!bodies) return bodies.error();
    if (*messages) std::from_chars((*messages)->data(), (*messages)->data() + (*messages)->size(), tally_.messages);
    if (*segment) std::from_chars((*segment)->data(), (*segment)->data() + (*segment)->size(), tally_.last_segment);
    if (*bodies) tally_.last_bodies = places_of(**bodies);
    committed_ = tally_;
    return {};
}

error_code SqliteStore::noted(error_code reason) {
    if (reason == errc::disk_full) reserve_->release();
    if (!group_failed_) group_failed_ = reason;
    return reason;
}

Result<void> SqliteStore::begin() {
    if (folders_.size() > options_.cached_folders_max) folders_.clear();
    if (last_seqs_.size() > options_.cached_folders_max) last_seqs_.clear();
    if (database_.logged_pages() > options_.wal_pages) {
        const auto moved = database_.checkpoint();
        if (!moved) return noted(moved.error());
    }
    return write(sql_->begin);
}

Result<void> SqliteStore::commit() {
    if (group_failed_) return group_failed_;
    const auto cursors = write_cursors();
    if (!cursors) return cursors.error();
    const auto uses = write_segment_use();
    if (!uses) return uses.error();
    const auto tally = write_tally();
    if (!tally) return tally.error();
    const auto committed = write(sql_->commit);
    if (!committed) return committed.error();
    committed_ = tally_;
    return {};
}

void SqliteStore::rollback() noexcept {
    // SQLite has rolled back by itself after some failures; what fails here leaves the log without its commit.
    if (database_.in_transaction()) static_cast<void>(database_.run("ROLLBACK"));
    group_failed_ = {};
    folders_.clear();
    moved_.clear();
    last_seqs_.clear();
    uses_.clear();
    needed_by_.clear();
    tally_ = committed_;
    tally_changed_ = false;
}

Result<void> SqliteStore::write_tally() {
    if (!tally_changed_) return {};
    tally_changed_ = false;
    const auto messages = put_meta(messages_row, fmt::format_int(tally_.messages).str());
    if (!messages) return messages.error();
    if (tally_.last_segment != committed_.last_segment) {
        const auto segment = put_meta(last_segment_row, fmt::format_int(tally_.last_segment).str());
        if (!segment) return segment.error();
    }
    const auto written = put_meta(last_bodies_row, printed(tally_.last_bodies));
    tally_.last_bodies.clear();
    return written;
}

Result<std::vector<SqliteStore::SegmentNeed>> SqliteStore::needed_segments() {
    const auto read = [](const Statement::Rows& row) {
        return SegmentNeed{static_cast<std::uint64_t>(row.number(0)), static_cast<std::uint64_t>(row.number(1))};
    };
    return all<SegmentNeed>(sql_->needed_segments, read);
}

Result<std::uint64_t> SqliteStore::last_segment() { return committed_.last_segment; }
Result<std::vector<BodyPlace>> SqliteStore::last_bodies() { return committed_.last_bodies; }

Result<void> SqliteStore::put_object(const Object& object) {
    return write(sql_->put_object, std::string_view(object.kind), std::string_view(object.id),
                 std::string_view(object.document));
}

Result<void> SqliteStore::remove_object(std::string_view kind, std::string_view id) {
    return write(sql_->remove_object, kind, id);
}

Result<std::vector<Object>> SqliteStore::objects(std::string_view kind) {
    return all<Object>(sql_->objects, read_object, kind);
}

Result<void> SqliteStore::put_secret(std::string_view owner, std::string_view name, std::string_view sealed) {
    return write(sql_->put_secret, owner, name, blob(sealed));
}

Result<std::optional<std::string>> SqliteStore::secret(std::string_view owner, std::string_view name) {
    return first<std::string>(sql_->secret, read_text, owner, name);
}

Result<void> SqliteStore::remove_secrets(std::string_view owner) { return write(sql_->remove_secrets, owner); }

Result<void> SqliteStore::put_meta(std::string_view name, std::string_view value) {
    return write(sql_->put_meta, name, blob(value));
}

Result<std::optional<std::string>> SqliteStore::meta(std::string_view name) {
    return first<std::string>(sql_->meta, read_text, name);
}

Result<void> SqliteStore::put_grant(const Grant& grant) {
    return write(sql_->put_grant, std::string_view(grant.credential), whole(grant.generation), blob(grant.sealed),
                 millis(grant.access_expires_at), std::string_view(grant.state), std::string_view(grant.reason));
}

Result<std::optional<Grant>> SqliteStore::grant(std::string_view credential) {
    return first<Grant>(sql_->grant, read_grant, credential);
}

Result<Totals> SqliteStore::totals() {
    const auto uses = write_segment_use();
    if (!uses) return uses.error();
    Totals totals{.messages = tally_.messages};
    struct Count {
        Statement& statement;
        std::uint64_t& into;
    };
    for (const Count& count :
         {Count{sql_->unreleased_bytes, totals.body_bytes}, Count{sql_->pending_count, totals.pending},
          Count{sql_->mailbox_count, totals.mailboxes}}) {
        const auto counted = first<std::int64_t>(count.statement, read_number);
        if (!counted) return counted.error();
        count.into = static_cast<std::uint64_t>(counted->value_or(0));
    }
    if (bodies_ != nullptr) {
        const auto usage = bodies_->usage();
        totals.segments = usage.segments;
        totals.segment_bytes = usage.segment_bytes;
    }
    return totals;
}

}  // namespace store
