#include "queue/store/schema.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace store {
namespace {

constexpr std::int64_t application = 0x526f5073;  // "RoPs"

// Keys lead with what is asked for together: a mailbox's rows lie side by side, and nothing counts across mailboxes.
// New messages and cursors go to the journals, side by side whatever their mailboxes, and from there in bulk into the
// tables ordered by mailbox: otherwise every message would touch pages of its own in each of them. Message ids are
// spread evenly and have no order that helps: each bulk is a sorted run of its own.
constexpr const char* tables_of_version_1 = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE object (kind TEXT, id TEXT, document TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE secret (owner TEXT, name TEXT, sealed BLOB NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID;
CREATE TABLE oauth_grant (
    credential TEXT PRIMARY KEY, generation BIGINT NOT NULL, sealed BLOB NOT NULL,
    access_expires_at BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mailbox (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL, paused TEXT NOT NULL DEFAULT '',
    removed SMALLINT NOT NULL DEFAULT 0,
    released BIGINT NOT NULL DEFAULT 0);  -- bodies up to this seq may be gone
CREATE TABLE folder (
    number INTEGER PRIMARY KEY, mailbox BIGINT NOT NULL, name TEXT NOT NULL, uid_validity BIGINT NOT NULL DEFAULT 0,
    cursor BIGINT NOT NULL DEFAULT 0, frozen TEXT NOT NULL DEFAULT '', UNIQUE (mailbox, name));
CREATE TABLE message (
    mailbox BIGINT, seq BIGINT, folder BIGINT NOT NULL, uid_validity BIGINT NOT NULL, uid BIGINT NOT NULL,
    id BLOB NOT NULL, fingerprint BLOB NOT NULL, internal_date BIGINT NOT NULL, received_at BIGINT NOT NULL,
    segment BIGINT NOT NULL, place BIGINT NOT NULL, length BIGINT NOT NULL, crc32c BIGINT NOT NULL,
    PRIMARY KEY (mailbox, seq)) WITHOUT ROWID;
CREATE TABLE message_uid (
    folder BIGINT, uid_validity BIGINT, uid BIGINT, seq BIGINT NOT NULL,
    PRIMARY KEY (folder, uid_validity, uid)) WITHOUT ROWID;
CREATE TABLE message_id_run (run INTEGER PRIMARY KEY);
CREATE TABLE message_id (
    run BIGINT, id BLOB, mailbox BIGINT, seq BIGINT, PRIMARY KEY (run, id, mailbox, seq)) WITHOUT ROWID;
CREATE TABLE journal (
    n INTEGER PRIMARY KEY, mailbox BIGINT NOT NULL, seq BIGINT NOT NULL, folder BIGINT NOT NULL,
    uid_validity BIGINT NOT NULL, uid BIGINT NOT NULL, id BLOB NOT NULL, fingerprint BLOB NOT NULL,
    internal_date BIGINT NOT NULL, received_at BIGINT NOT NULL, segment BIGINT NOT NULL, place BIGINT NOT NULL,
    length BIGINT NOT NULL, crc32c BIGINT NOT NULL);
CREATE TABLE cursor_journal (n INTEGER PRIMARY KEY, folder BIGINT NOT NULL, cursor BIGINT NOT NULL);
CREATE TABLE pending (
    folder BIGINT, uid_validity BIGINT, uid BIGINT, attempts BIGINT NOT NULL, first_seen BIGINT NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (folder, uid_validity, uid)) WITHOUT ROWID;
CREATE TABLE subscription (
    consumer TEXT, mailbox BIGINT, acked BIGINT NOT NULL, PRIMARY KEY (consumer, mailbox)) WITHOUT ROWID;
CREATE INDEX subscription_of_mailbox ON subscription (mailbox, acked);
CREATE TABLE segment_use (
    segment BIGINT, mailbox BIGINT, last_seq BIGINT NOT NULL, bytes BIGINT NOT NULL, bytes_end BIGINT NOT NULL,
    PRIMARY KEY (segment, mailbox)) WITHOUT ROWID;
)sql";

// What a hand-off could not read. By segment, because what is set aside keeps it.
constexpr const char* tables_since_version_2 = R"sql(
CREATE TABLE set_aside (
    consumer TEXT, mailbox BIGINT, seq BIGINT, segment BIGINT NOT NULL, at BIGINT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (consumer, mailbox, seq)) WITHOUT ROWID;
CREATE INDEX set_aside_of_segment ON set_aside (segment);
CREATE INDEX set_aside_of_mailbox ON set_aside (mailbox, consumer, seq);
)sql";

// What applications handed in. `due` and `attempt` say what is to be done and what is being done; the row of a
// submission is written when it is accepted and when it changes its state, not when it is taken.
constexpr const char* tables_since_version_3 = R"sql(
CREATE TABLE submission (
    id INTEGER PRIMARY KEY, mailbox BIGINT NOT NULL, state SMALLINT NOT NULL, lane SMALLINT NOT NULL,
    attempts BIGINT NOT NULL, accepted_at BIGINT NOT NULL, due BIGINT, expires_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL, segment BIGINT NOT NULL, place BIGINT NOT NULL, length BIGINT NOT NULL,
    crc32c BIGINT NOT NULL, key TEXT NOT NULL, envelope BLOB NOT NULL, progress BLOB NOT NULL, reason TEXT NOT NULL);
CREATE UNIQUE INDEX submission_key ON submission (key) WHERE key <> '';
CREATE INDEX submission_waiting ON submission (state, id) WHERE state < 4;
CREATE TABLE due (
    mailbox BIGINT, lane SMALLINT, at BIGINT, submission BIGINT,
    PRIMARY KEY (mailbox, lane, at, submission)) WITHOUT ROWID;
CREATE TABLE attempt (submission INTEGER PRIMARY KEY);
CREATE TABLE outbox_segment (
    segment INTEGER PRIMARY KEY, live BIGINT NOT NULL, bytes_end BIGINT NOT NULL);
CREATE TABLE outbox_event (
    number INTEGER PRIMARY KEY, submission BIGINT NOT NULL, mailbox BIGINT NOT NULL, at BIGINT NOT NULL,
    kind TEXT NOT NULL, detail BLOB NOT NULL);
)sql";

// What servers list under keys of their own, and when mailboxes are visited. `place`: 0 there, 1 gone, 2 removed by us.
constexpr const char* tables_since_version_4 = R"sql(
CREATE TABLE listed (
    folder BIGINT, key TEXT, uid BIGINT NOT NULL, state SMALLINT NOT NULL, place SMALLINT NOT NULL,
    bytes BIGINT NOT NULL, fingerprint BLOB NOT NULL, PRIMARY KEY (folder, key)) WITHOUT ROWID;
CREATE INDEX listed_there ON listed (folder, key) WHERE place = 0;
CREATE INDEX listed_gone ON listed (folder, fingerprint) WHERE place = 1;
CREATE TABLE visit (
    folder INTEGER PRIMARY KEY, due BIGINT NOT NULL, not_before BIGINT NOT NULL, span BIGINT NOT NULL);
)sql";

// What is accounted for without a ledger row of its own. `recognisable` and `recognised` are empty but for folders
// whose UIDVALIDITY changed within the hour: filled in sorted bulks, and then only read, so that a folder of any size
// is compared without writing its pages again and again.
//
// And what sessions note about folders: how far the mail in them was dealt with, a copy that may have been made, what
// was there at first, and what is fetched of it later. `state`: 0 running, 1 done, 2 cancelled. Days as milliseconds.
constexpr const char* tables_since_version_5 = R"sql(
CREATE TABLE wanted_mail (folder INTEGER PRIMARY KEY, since BIGINT NOT NULL);
CREATE TABLE passed_over (
    folder BIGINT, uid_validity BIGINT, first BIGINT, last BIGINT NOT NULL,
    PRIMARY KEY (folder, uid_validity, first)) WITHOUT ROWID;
CREATE TABLE renumbering (
    folder BIGINT, began BIGINT, validity_before BIGINT NOT NULL, validity_now BIGINT NOT NULL, stage SMALLINT NOT NULL,
    gathered BIGINT NOT NULL, recognised BIGINT NOT NULL, fresh BIGINT NOT NULL, passed_over BIGINT NOT NULL,
    PRIMARY KEY (folder, began)) WITHOUT ROWID;
CREATE TABLE recognisable (
    folder BIGINT, fingerprint BLOB, seq BIGINT, PRIMARY KEY (folder, fingerprint, seq)) WITHOUT ROWID;
CREATE TABLE recognised (folder BIGINT, seq BIGINT, PRIMARY KEY (folder, seq)) WITHOUT ROWID;
CREATE TABLE possible_repeat (mailbox BIGINT, seq BIGINT, PRIMARY KEY (mailbox, seq)) WITHOUT ROWID;
CREATE TABLE after_state (
    folder INTEGER PRIMARY KEY, policy TEXT NOT NULL, done BIGINT NOT NULL, parked TEXT NOT NULL,
    attempts BIGINT NOT NULL, next_attempt BIGINT NOT NULL);
CREATE TABLE copy_intent (
    folder INTEGER PRIMARY KEY, uid_validity BIGINT NOT NULL, uids TEXT NOT NULL, target TEXT NOT NULL,
    target_uid_validity BIGINT NOT NULL, target_uid_next BIGINT NOT NULL, copied SMALLINT NOT NULL);
CREATE TABLE first_contact (
    folder INTEGER PRIMARY KEY, at BIGINT NOT NULL, mails BIGINT NOT NULL, oldest BIGINT NOT NULL,
    passed_over BIGINT NOT NULL);
CREATE TABLE backfill (
    folder INTEGER PRIMARY KEY, from_day BIGINT NOT NULL, state SMALLINT NOT NULL, uid_validity BIGINT NOT NULL,
    uid BIGINT NOT NULL, found BIGINT NOT NULL, taken BIGINT NOT NULL, asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL);
)sql";

// Where a message is that has this fingerprint: its first bytes, in the mailbox. So a copy of it is known.
constexpr const char* tables_since_version_6 = R"sql(
CREATE TABLE message_mark (mailbox BIGINT, mark BLOB, seq BIGINT, PRIMARY KEY (mailbox, mark, seq)) WITHOUT ROWID;
INSERT INTO message_mark (mailbox, mark, seq) SELECT mailbox, substr(fingerprint, 1, 6), seq FROM message ORDER BY 1, 2, 3;
)sql";

// What is observed in mailboxes that another product serves. A time of 0: not so far.
constexpr const char* tables_since_version_7 = R"sql(
CREATE TABLE shadow_folder (
    folder INTEGER PRIMARY KEY, mailbox BIGINT NOT NULL, uid_validity BIGINT NOT NULL, floor BIGINT NOT NULL,
    cursor BIGINT NOT NULL, settled BIGINT NOT NULL, compares SMALLINT NOT NULL, since BIGINT NOT NULL,
    looked_at BIGINT NOT NULL, unseen BIGINT NOT NULL);
CREATE TABLE shadow_mail (
    number INTEGER PRIMARY KEY, mailbox BIGINT NOT NULL, folder BIGINT NOT NULL, uid_validity BIGINT NOT NULL,
    uid BIGINT NOT NULL, fingerprint BLOB NOT NULL, message_id TEXT NOT NULL, bytes BIGINT NOT NULL,
    internal_date BIGINT NOT NULL, arrived_at BIGINT NOT NULL, first_seen BIGINT NOT NULL, again SMALLINT NOT NULL,
    seen_after BIGINT NOT NULL, seen_at BIGINT NOT NULL, gone_after BIGINT NOT NULL, gone_at BIGINT NOT NULL);
CREATE INDEX shadow_mail_uid ON shadow_mail (folder, uid_validity, uid);
CREATE INDEX shadow_mail_arrived ON shadow_mail (mailbox, arrived_at, number);
CREATE INDEX shadow_mail_alike ON shadow_mail (mailbox, fingerprint);
CREATE INDEX shadow_mail_unseen ON shadow_mail (folder, arrived_at) WHERE seen_at = 0 AND gone_at = 0 AND again = 0;
CREATE INDEX shadow_mail_there ON shadow_mail (folder, arrived_at) WHERE gone_at = 0 AND again = 0;
)sql";

// Which message has the id that servers give to a content in whatever folder. X-GM-MSGID, EMAILID (RFC 8474).
constexpr const char* tables_since_version_8 = R"sql(
CREATE TABLE email_id (mailbox BIGINT, id TEXT, seq BIGINT NOT NULL, PRIMARY KEY (mailbox, id)) WITHOUT ROWID;
)sql";

/// What version `after` lacks.
std::string tables_after(std::int64_t after) {
    std::string script;
    if (after < 1) script += tables_of_version_1;
    if (after < 2) script += tables_since_version_2;
    if (after < 3) script += tables_since_version_3;
    if (after < 4) script += tables_since_version_4;
    if (after < 5) script += tables_since_version_5;
    if (after < 6) script += tables_since_version_6;
    if (after < 7) script += tables_since_version_7;
    if (after < 8) script += tables_since_version_8;
    return script;
}

Result<std::int64_t> number_of(Database& database, const char* sql) {
    Statement statement(database, sql);
    auto rows = statement.query();
    if (!rows) return rows.error();
    const auto row = rows->next();
    if (!row) return row.error();
    return rows->number(0);
}

/// Every column of every table with its place in the primary key.
constexpr const char* columns_query = R"sql(
SELECT t.name || ' ' || c.name || ' ' || c.pk FROM sqlite_master AS t, pragma_table_info(t.name) AS c
WHERE t.type = 'table')sql";

Result<std::set<std::string>> columns_of(Database& database) {
    Statement statement(database, columns_query);
    auto rows = statement.query();
    if (!rows) return rows.error();
    std::set<std::string> columns;
    for (;;) {
        const auto row = rows->next();
        if (!row) return row.error();
        if (!*row) return columns;
        columns.insert(rows->text(0));
    }
}

/// Errors: damaged when something is missing that this version made.
Result<void> check_columns(Database& database, std::int64_t version) {
    auto fresh = Database::open(":memory:", "");
    if (!fresh) return fresh.error();
    std::string script = tables_after(0);
    script.resize(script.size() - tables_after(version).size());  // what later versions added stands at its end
    const auto made = fresh->run(script.c_str());
    if (!made) return made.error();
    const auto wanted = columns_of(*fresh);
    if (!wanted) return wanted.error();
    const auto there = columns_of(database);
    if (!there) return there.error();
    if (!std::includes(there->begin(), there->end(), wanted->begin(), wanted->end())) return errc::damaged;
    return {};
}

}  // namespace

Result<void> prepare_schema(Database& database) {
    const auto owner = number_of(database, "PRAGMA application_id");
    if (!owner) return owner.error();
    const auto version = number_of(database, "PRAGMA user_version");
    if (!version) return version.error();
    const auto tables = number_of(database, "SELECT count(*) FROM sqlite_master");
    if (!tables) return tables.error();
    if (*tables > 0) {
        if (*owner != application) return errc::not_a_store;
        if (*version > schema_version) return errc::newer_format;
        if (*version < 1) return errc::not_a_store;  // ours have a version
        const auto whole = check_columns(database, *version);
        if (!whole || *version == schema_version) return whole;
    }
    std::string script = "BEGIN IMMEDIATE;" + tables_after(*tables == 0 ? 0 : *version);
    script += "PRAGMA application_id = " + std::to_string(application) +
              "; PRAGMA user_version = " + std::to_string(schema_version) + "; COMMIT;";
    const auto changed = database.run(script.c_str());
    if (!changed && database.in_transaction()) static_cast<void>(database.run("ROLLBACK"));
    return changed;
}

}  // namespace store
