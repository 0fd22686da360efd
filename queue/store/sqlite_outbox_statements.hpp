#pragma once
/// The words in which SqliteOutbox speaks to its database. Included by its own files only.

#include "queue/store/sqlite_outbox.hpp"

namespace store {

struct SqliteOutbox::Statements {
    explicit Statements(const Database& database) : db(database) {}
    const Database& db;

    Statement has_mailbox{db, "SELECT 1 FROM mailbox WHERE number = ?1"};
    Statement id_of_key{db, "SELECT id FROM submission WHERE key = ?1 AND key <> ''"};
    Statement add{
        db,
        "INSERT INTO submission (id, mailbox, state, lane, attempts, accepted_at, due, expires_at, changed_at, "
        "segment, place, length, crc32c, key, envelope, progress, reason) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, -1), ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"};
    Statement change{db,
                     "UPDATE submission SET state = ?2, attempts = ?3, due = nullif(?4, -1), changed_at = ?5, "
                     "progress = ?6, reason = ?7 WHERE id = ?1"};
    Statement by_id{
        db,
        "SELECT id, mailbox, state, lane, attempts, accepted_at, coalesce(due, -1), expires_at, changed_at, "
        "segment, place, length, crc32c, key, envelope, progress, reason, "
        "EXISTS (SELECT 1 FROM attempt WHERE attempt.submission = id) FROM submission WHERE id = ?1"};
    Statement ids{db, "SELECT id FROM submission WHERE id > ?1 ORDER BY id LIMIT ?2"};
    Statement ids_in_state{db,
                           "SELECT id FROM submission WHERE state < 4 AND state = ?1 AND id > ?2 ORDER BY id LIMIT ?3"};
    Statement last_id{db, "SELECT max(id) FROM submission"};

    Statement put_due{db, "INSERT INTO due (mailbox, lane, at, submission) VALUES (?1, ?2, ?3, ?4)"};
    Statement remove_due{db, "DELETE FROM due WHERE mailbox = ?1 AND lane = ?2 AND at = ?3 AND submission = ?4"};
    Statement front{db,
                    "SELECT submission, at FROM due WHERE mailbox = ?1 AND lane = ?2 ORDER BY at, submission LIMIT ?3"};
    Statement first_behind_lane{db,
                                "SELECT lane, at FROM due WHERE mailbox = ?1 AND lane > ?2 ORDER BY lane, at LIMIT 1"};
    Statement next_mailbox{db, "SELECT mailbox FROM due WHERE mailbox > ?1 ORDER BY mailbox LIMIT 1"};
    Statement queued_counts{db, "SELECT mailbox, count(*) FROM due WHERE lane < ?1 GROUP BY mailbox"};

    Statement begin_attempt{db, "INSERT INTO attempt (submission) VALUES (?1)"};
    Statement end_attempt{db, "DELETE FROM attempt WHERE submission = ?1"};
    Statement is_taken{db, "SELECT 1 FROM attempt WHERE submission = ?1"};
    Statement attempts{db, "SELECT submission FROM attempt ORDER BY submission LIMIT ?1"};

    Statement use_segment{db,
                          "INSERT INTO outbox_segment (segment, live, bytes_end) VALUES (?1, ?2, ?3) "
                          "ON CONFLICT (segment) DO UPDATE SET live = outbox_segment.live + excluded.live, "
                          "bytes_end = CASE WHEN excluded.bytes_end > outbox_segment.bytes_end THEN excluded.bytes_end "
                          "ELSE outbox_segment.bytes_end END"};
    Statement live_in_segment{db, "SELECT live FROM outbox_segment WHERE segment = ?1"};
    Statement let_go{db, "DELETE FROM outbox_segment WHERE segment = ?1"};
    Statement last_segment{db, "SELECT max(segment) FROM outbox_segment"};
    Statement newest_bodies{db,
                            "SELECT segment, place, length, crc32c FROM submission WHERE state < 4 "
                            "ORDER BY id DESC LIMIT ?1"};

    Statement settled{db,
                      "SELECT id, state >= 4 AND changed_at < ?2 FROM submission WHERE id > ?1 ORDER BY id LIMIT ?3"};
    Statement forget{db, "DELETE FROM submission WHERE id = ?1"};

    Statement add_event{db,
                        "INSERT INTO outbox_event (number, submission, mailbox, at, kind, detail) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
    Statement events{db,
                     "SELECT number, submission, mailbox, at, kind, detail FROM outbox_event WHERE number > ?1 "
                     "ORDER BY number LIMIT ?2"};
    Statement last_event{db, "SELECT max(number) FROM outbox_event"};
    Statement forget_events{db, "DELETE FROM outbox_event WHERE number <= ?1 AND number < ?2"};
};

}  // namespace store
