#include "queue/store/sqlite_store.hpp"

#include <fmt/format.h>

#include <charconv>

#include "queue/store/schema.hpp"
#include "queue/store/sqlite_statements.hpp"

namespace store {
namespace {

// Rows of `meta` that are the store's own.
constexpr std::string_view messages_row = "store.messages";

constexpr std::int64_t checked_bodies_max = 64;

Object read_object(const Statement::Rows& row) { return {row.text(0), row.text(1), row.text(2)}; }

SealedSecret read_secret(const Statement::Rows& row) { return {row.text(0), row.text(1), row.text(2)}; }

Grant read_grant(const Statement::Rows& row) {
    return {.credential = row.text(0),
            .generation = static_cast<std::uint64_t>(row.number(1)),
            .sealed = row.text(2),
            .access_expires_at = time_of(row.number(3)),
            .state = row.text(4),
            .reason = row.text(5)};
}

constexpr const char* merge_script = R"sql(
INSERT INTO message (mailbox, seq, folder, uid_validity, uid, id, fingerprint, internal_date, received_at,
                     segment, place, length, crc32c)
    SELECT mailbox, seq, folder, uid_validity, uid, id, fingerprint, internal_date, received_at,
           segment, place, length, crc32c FROM journal ORDER BY mailbox, seq;
INSERT INTO message_uid (folder, uid_validity, uid, seq)
    SELECT folder, uid_validity, uid, seq FROM journal WHERE true ORDER BY folder, uid_validity, uid
    ON CONFLICT (folder, uid_validity, uid) DO NOTHING;  -- recognised since, by a folder that was renumbered twice
INSERT INTO message_id_run (run) SELECT coalesce((SELECT max(run) FROM message_id_run), 0) + 1
    WHERE EXISTS (SELECT 1 FROM journal);
INSERT INTO message_id (run, id, mailbox, seq)
    SELECT (SELECT max(run) FROM message_id_run), id, mailbox, seq FROM journal ORDER BY id, mailbox, seq;
INSERT INTO message_mark (mailbox, mark, seq)
    SELECT mailbox, substr(fingerprint, 1, 6), seq FROM journal ORDER BY 1, 2, 3;
INSERT INTO segment_use (segment, mailbox, last_seq, bytes, bytes_end)
    SELECT segment, mailbox, max(seq), sum(length), max(place + length) FROM journal WHERE true
    GROUP BY segment, mailbox
    ON CONFLICT (segment, mailbox) DO UPDATE SET
        last_seq = excluded.last_seq, bytes = segment_use.bytes + excluded.bytes,
        bytes_end = CASE WHEN excluded.bytes_end > segment_use.bytes_end
                    THEN excluded.bytes_end ELSE segment_use.bytes_end END;
UPDATE folder SET cursor = moved.cursor
    FROM (SELECT folder, max(cursor) AS cursor FROM cursor_journal GROUP BY folder) AS moved
    WHERE folder.number = moved.folder AND folder.cursor < moved.cursor;
DELETE FROM journal;
DELETE FROM cursor_journal;
)sql";

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<SqliteVfs> vfs, Database database, std::shared_ptr<Reserve> reserve,
                         Options options)
    : SqliteWork(std::move(vfs), std::move(database), std::move(reserve)),
      options_(options),
      sql_(std::make_unique<Statements>(SqliteWork::database())),
      meta_(std::make_unique<SqliteMeta>(static_cast<SqliteWork&>(*this))),
      outbox_(std::make_unique<SqliteOutbox>(static_cast<SqliteWork&>(*this))),
      listings_(std::make_unique<SqliteListings>(static_cast<SqliteWork&>(*this))),
      accounting_(std::make_unique<SqliteAccounting>(static_cast<SqliteWork&>(*this))),
      folder_notes_(std::make_unique<SqliteFolderNotes>(static_cast<SqliteWork&>(*this))),
      shadows_(std::make_unique<SqliteShadows>(static_cast<SqliteWork&>(*this))) {}

SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Disk& disk, const Path& path, std::shared_ptr<Reserve> reserve,
                                                       Options options) {
    auto vfs = std::make_unique<SqliteVfs>(disk);
    auto database = Database::open(path.string(), vfs->name());
    if (!database) return database.error();
    // EXCLUSIVE comes before the first access: no other connection ever joins, and no shared memory is needed.
    const auto exclusive = database->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL");
    if (!exclusive) return exclusive.error();
    // Before WAL, which changes the file: another program's database stays as it is.
    const auto prepared = prepare_schema(*database);
    if (!prepared) return prepared.error();
    const std::string pragmas = fmt::format(
        "PRAGMA journal_mode = WAL; PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON",
        options.cache_bytes / 1024);
    const auto set_up = database->run(pragmas.c_str());
    if (!set_up) return set_up.error();
    std::unique_ptr<SqliteStore> opened(
        new SqliteStore(std::move(vfs), std::move(*database), std::move(reserve), options));
    const auto loaded = opened->load();
    if (!loaded) return loaded.error();
    return opened;
}

/// Takes over what the last run left in the journals.
Result<void> SqliteStore::load() {
    for (const auto& [name, number] :
         {std::pair{messages_row, &messages_}, std::pair{last_segment_row, &last_segment_}}) {
        const auto text = meta(name);
        if (!text) return text.error();
        const auto& digits = *text;
        if (digits) std::from_chars(digits->data(), digits->data() + digits->size(), *number);
    }
    const auto read_place = [](const Statement::Rows& row) {
        return BodyPlace{static_cast<std::uint64_t>(row.number(0)), static_cast<std::uint64_t>(row.number(1)),
                         static_cast<std::uint64_t>(row.number(2)), static_cast<std::uint32_t>(row.number(3))};
    };
    auto newest = all<BodyPlace>(sql_->newest_bodies, read_place, checked_bodies_max);
    if (!newest) return newest.error();
    last_bodies_ = std::move(*newest);
    const auto loaded = outbox_->load();
    if (!loaded) return loaded.error();
    last_segment_ = std::max(last_segment_, loaded->last_segment);
    last_bodies_.insert(last_bodies_.end(), loaded->last_bodies.begin(), loaded->last_bodies.end());
    return merge_journals();
}

Result<void> SqliteStore::begin() {
    const auto tidied = tidy();
    // Without room, tidying up waits: what is left of it goes to acknowledgements first.
    if (!tidied && tidied.error() != errc::disk_full) return tidied.error();
    if (!tidied) rollback();
    if (folders_.size() > options_.cached_folders_max) folders_.clear();
    if (last_seqs_.size() > options_.cached_folders_max) last_seqs_.clear();
    return write(sql_->begin);
}

/// Moves on what has gathered in the journals and in the write-ahead log.
Result<void> SqliteStore::tidy() {
    if (merge_wanted_ || recent_.rows >= options_.journal_rows_max) {
        const auto merged = merge_journals();
        if (!merged) return merged.error();
    }
    if (database().logged_pages() > options_.wal_pages) {
        const auto moved = database().checkpoint();
        if (!moved) return noted(moved.error());
    }
    return {};
}

Result<void> SqliteStore::commit() {
    if (failed()) return failed();
    const auto cursors = write_cursors();
    if (!cursors) return cursors.error();
    const auto outgoing = outbox_->finish_group();
    if (!outgoing) return outgoing.error();
    const auto notes = meta_->finish_group();
    if (!notes) return notes.error();
    const auto committed = write(sql_->commit);
    if (!committed) return committed.error();
    outbox_->committed();
    meta_->committed();
    for (const auto folder : moved_) {
        CachedFolder& here = folders_.at(folder);
        here.moved = false;
        recent_.cursors[folder] = here.folder.cursor;
    }
    moved_.clear();
    group_.clear();
    return {};
}

void SqliteStore::rollback() noexcept {
    // SQLite has rolled back by itself after some failures; what fails here leaves the log without its commit.
    if (database().in_transaction()) static_cast<void>(database().run("ROLLBACK"));
    forget_failure();
    forget_group();
    outbox_->rolled_back();
    meta_->rolled_back();
    folders_.clear();
    moved_.clear();
    last_seqs_.clear();
    needed_by_.clear();
}

/// One transaction of its own, the same at run time and in recovery.
Result<void> SqliteStore::merge_journals() {
    struct Count {
        std::uint64_t rows = 0;
        std::uint64_t last_segment = 0;
    };
    const auto read_count = [](const Statement::Rows& row) {
        return Count{static_cast<std::uint64_t>(row.number(0)), static_cast<std::uint64_t>(row.number(1))};
    };
    const auto begun = write(sql_->begin);
    if (!begun) return begun.error();
    const auto count = only<Count>(sql_->journal_rows, read_count);
    if (!count) return count.error();
    const std::uint64_t messages = messages_ + count->rows;
    const std::uint64_t segment = std::max({last_segment_, count->last_segment, outbox_->last_segment()});
    const auto merged = database().run(merge_script);
    if (!merged) return noted(merged.error());
    const auto noted_messages = put_meta(messages_row, fmt::format_int(messages).str());
    if (!noted_messages) return noted_messages.error();
    const auto noted_segment = put_meta(last_segment_row, fmt::format_int(segment).str());
    if (!noted_segment) return noted_segment.error();
    const auto noted = meta_->finish_group();
    if (!noted) return noted.error();
    const auto committed = write(sql_->commit);
    if (!committed) return committed.error();
    meta_->committed();
    messages_ = messages;
    last_segment_ = segment;
    recent_ = {};
    merge_wanted_ = false;
    folders_.clear();
    last_seqs_.clear();
    return {};
}

Result<std::vector<SqliteStore::SegmentNeed>> SqliteStore::needed_segments() {
    const auto read = [](const Statement::Rows& row) {
        return SegmentNeed{static_cast<std::uint64_t>(row.number(0)), static_cast<std::uint64_t>(row.number(1))};
    };
    return all<SegmentNeed>(sql_->needed_segments, read);
}

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

Result<std::vector<SealedSecret>> SqliteStore::secrets() { return all<SealedSecret>(sql_->secrets, read_secret); }

Result<void> SqliteStore::put_meta(std::string_view name, std::string_view value) { return meta_->put(name, value); }

Result<std::optional<std::string>> SqliteStore::meta(std::string_view name) { return meta_->get(name); }

Result<void> SqliteStore::remove_meta(std::string_view name) { return meta_->remove(name); }

Result<void> SqliteStore::put_grant(const Grant& grant) {
    return write(sql_->put_grant, std::string_view(grant.credential), whole(grant.generation), blob(grant.sealed),
                 millis(grant.access_expires_at), std::string_view(grant.state), std::string_view(grant.reason));
}

Result<std::optional<Grant>> SqliteStore::grant(std::string_view credential) {
    return first<Grant>(sql_->grant, read_grant, credential);
}

Result<std::vector<Grant>> SqliteStore::grants() { return all<Grant>(sql_->grants, read_grant); }

Result<void> SqliteStore::remove_grant(std::string_view credential) { return write(sql_->remove_grant, credential); }

Result<Totals> SqliteStore::totals() {
    Totals totals{.messages = messages_ + recent_.rows};
    std::uint64_t journal_bytes = 0;
    struct Count {
        Statement& statement;
        std::uint64_t& into;
    };
    for (const Count& count :
         {Count{sql_->unreleased_bytes, totals.body_bytes}, Count{sql_->unreleased_journal_bytes, journal_bytes},
          Count{sql_->pending_count, totals.pending}, Count{sql_->set_aside_count, totals.set_aside},
          Count{sql_->mailbox_count, totals.mailboxes}}) {
        const auto counted = only<std::int64_t>(count.statement, read_number);
        if (!counted) return counted.error();
        count.into = static_cast<std::uint64_t>(*counted);
    }
    totals.body_bytes += journal_bytes;
    if (bodies_ != nullptr) {
        const auto usage = bodies_->usage();
        totals.segments = usage.segments;
        totals.segment_bytes = usage.segment_bytes;
    }
    return totals;
}

}  // namespace store
