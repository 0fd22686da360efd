#pragma once
/// The words in which SqliteStore speaks to its database. Included by its own files only.

#include "queue/store/sqlite_store.hpp"

namespace store {

/// The row of `meta` with the highest segment number that was ever used, beside what other rows say.
inline constexpr std::string_view last_segment_row = "store.last_segment";

struct SqliteStore::Statements {
    explicit Statements(const Database& database) : db(database) {}
    const Database& db;

    Statement begin{db, "BEGIN"};
    Statement commit{db, "COMMIT"};

    Statement put_object{db,
                         "INSERT INTO object (kind, id, document) VALUES (?1, ?2, ?3) "
                         "ON CONFLICT (kind, id) DO UPDATE SET document = excluded.document"};
    Statement remove_object{db, "DELETE FROM object WHERE kind = ?1 AND id = ?2"};
    Statement objects{db, "SELECT kind, id, document FROM object WHERE kind = ?1 ORDER BY id"};
    Statement put_secret{db,
                         "INSERT INTO secret (owner, name, sealed) VALUES (?1, ?2, ?3) "
                         "ON CONFLICT (owner, name) DO UPDATE SET sealed = excluded.sealed"};
    Statement secret{db, "SELECT sealed FROM secret WHERE owner = ?1 AND name = ?2"};
    Statement secrets{db, "SELECT owner, name, sealed FROM secret ORDER BY owner, name"};
    Statement remove_secrets{db, "DELETE FROM secret WHERE owner = ?1"};
    Statement put_grant{db,
                        "INSERT INTO oauth_grant (credential, generation, sealed, access_expires_at, state, reason) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (credential) DO UPDATE SET "
                        "generation = excluded.generation, sealed = excluded.sealed, "
                        "access_expires_at = excluded.access_expires_at, state = excluded.state, "
                        "reason = excluded.reason"};
    Statement grant{db,
                    "SELECT credential, generation, sealed, access_expires_at, state, reason "
                    "FROM oauth_grant WHERE credential = ?1"};
    Statement grants{db,
                     "SELECT credential, generation, sealed, access_expires_at, state, reason "
                     "FROM oauth_grant ORDER BY credential"};
    Statement remove_grant{db, "DELETE FROM oauth_grant WHERE credential = ?1"};

    Statement put_mailbox{db,
                          "INSERT INTO mailbox (id, document) VALUES (?1, ?2) "
                          "ON CONFLICT (id) DO UPDATE SET document = excluded.document, removed = 0 "
                          "RETURNING number"};
    Statement pause_mailbox{db, "UPDATE mailbox SET paused = ?2 WHERE id = ?1"};
    Statement remove_mailbox{db, "UPDATE mailbox SET removed = 1 WHERE id = ?1"};
    Statement mailbox{db,
                      "SELECT number, id, document, paused, removed, (SELECT max(seq) FROM message "
                      "WHERE mailbox = number) FROM mailbox WHERE id = ?1"};
    Statement mailboxes{db,
                        "SELECT number, id, document, paused, removed, (SELECT max(seq) FROM message "
                        "WHERE mailbox = number) FROM mailbox WHERE id > ?1 AND removed = 0 ORDER BY id LIMIT ?2"};
    Statement has_mailbox{db, "SELECT 1 FROM mailbox WHERE number = ?1"};

    Statement add_folder{db,
                         "INSERT INTO folder (mailbox, name) VALUES (?1, ?2) ON CONFLICT (mailbox, name) DO NOTHING"};
    Statement folder_by_name{db, "SELECT number FROM folder WHERE mailbox = ?1 AND name = ?2"};
    Statement folder_by_number{db,
                               "SELECT number, mailbox, name, uid_validity, cursor, frozen, "
                               "EXISTS (SELECT 1 FROM pending WHERE folder = number) FROM folder WHERE number = ?1"};
    Statement folders_of{db, "SELECT number FROM folder WHERE mailbox = ?1 ORDER BY number"};
    Statement adopt_folder{db, "UPDATE folder SET uid_validity = ?2, cursor = ?3 WHERE number = ?1"};
    Statement freeze_folder{db, "UPDATE folder SET frozen = ?2 WHERE number = ?1"};
    Statement renumber_folder{db, "UPDATE folder SET uid_validity = ?2, cursor = 0, frozen = '' WHERE number = ?1"};
    Statement forget_cursors{db, "DELETE FROM cursor_journal WHERE folder = ?1"};
    Statement forget_pending{db, "DELETE FROM pending WHERE folder = ?1"};
    Statement forget_uids{db, "DELETE FROM message_uid WHERE folder = ?1 AND uid_validity = ?2"};
    Statement move_cursor{db, "INSERT INTO cursor_journal (folder, cursor) VALUES (?1, ?2)"};

    Statement last_seq{db, "SELECT max(seq) FROM message WHERE mailbox = ?1"};
    Statement seq_of_uid{db, "SELECT seq FROM message_uid WHERE folder = ?1 AND uid_validity = ?2 AND uid = ?3"};
    Statement known_uids{db,
                         "SELECT uid, seq FROM message_uid WHERE folder = ?1 AND uid_validity = ?2 AND uid > ?3 "
                         "ORDER BY uid LIMIT ?4"};
    Statement add_message{db,
                          "INSERT INTO journal (mailbox, seq, folder, uid_validity, uid, id, fingerprint, "
                          "internal_date, received_at, segment, place, length, crc32c) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"};
    Statement messages{db,
                       "SELECT mailbox, seq, folder, uid_validity, uid, id, fingerprint, internal_date, received_at, "
                       "segment, place, length, crc32c FROM message WHERE mailbox = ?1 AND seq > ?2 "
                       "ORDER BY seq LIMIT ?3"};
    Statement message_by_id{
        db,
        "SELECT m.mailbox, m.seq, folder, uid_validity, uid, m.id, fingerprint, internal_date, received_at, "
        "segment, place, length, crc32c FROM message_id_run r JOIN message_id i ON i.run = r.run "
        "JOIN message m ON m.mailbox = i.mailbox AND m.seq = i.seq WHERE i.id = ?1 ORDER BY r.run LIMIT 1"};
    Statement twin_of{db,
                      "SELECT p.seq FROM message_mark p JOIN message m ON m.mailbox = p.mailbox AND m.seq = p.seq "
                      "WHERE p.mailbox = ?1 AND p.mark = ?2 AND m.fingerprint = ?3 AND m.length = ?4 "
                      "AND m.crc32c = ?5 AND NOT EXISTS (SELECT 1 FROM set_aside s WHERE s.mailbox = p.mailbox AND "
                      "s.seq = p.seq) ORDER BY p.seq LIMIT 1"};
    Statement give_uid{db,
                       "INSERT INTO message_uid (folder, uid_validity, uid, seq) VALUES (?1, ?2, ?3, ?4) "
                       "ON CONFLICT (folder, uid_validity, uid) DO NOTHING"};
    Statement put_pending{
        db,
        "INSERT INTO pending (folder, uid_validity, uid, attempts, first_seen, reason) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (folder, uid_validity, uid) DO UPDATE SET "
        "attempts = CASE excluded.attempts WHEN 0 THEN 0 ELSE attempts + 1 END, reason = excluded.reason"};
    Statement remove_pending{db, "DELETE FROM pending WHERE folder = ?1 AND uid_validity = ?2 AND uid = ?3"};
    Statement pending{db,
                      "SELECT folder, uid_validity, uid, attempts, first_seen, reason FROM pending "
                      "WHERE folder = ?1 ORDER BY uid_validity, uid"};

    Statement subscribe{db,
                        "INSERT INTO subscription (consumer, mailbox, acked) SELECT ?1, number, released "
                        "FROM mailbox WHERE number = ?2 ON CONFLICT (consumer, mailbox) DO NOTHING"};
    Statement unsubscribe{db, "DELETE FROM subscription WHERE consumer = ?1 AND mailbox = ?2"};
    Statement acked{db, "SELECT acked FROM subscription WHERE consumer = ?1 AND mailbox = ?2"};
    Statement acked_by_all{db, "SELECT coalesce(min(acked), 0) FROM subscription WHERE mailbox = ?1"};
    Statement is_set_aside{db, "SELECT 1 FROM set_aside WHERE mailbox = ?1 AND seq = ?2 LIMIT 1"};
    Statement acknowledge{db, "UPDATE subscription SET acked = ?3 WHERE consumer = ?1 AND mailbox = ?2"};
    Statement hand_offs{db,
                        "SELECT consumer, mailbox, acked, "
                        "coalesce((SELECT max(seq) FROM message m WHERE m.mailbox = s.mailbox), 0) "
                        "FROM subscription s WHERE consumer = ?1 AND mailbox > ?2 ORDER BY mailbox LIMIT ?3"};
    Statement set_aside{db,
                        "INSERT INTO set_aside (consumer, mailbox, seq, segment, at, reason) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (consumer, mailbox, seq) DO NOTHING"};
    Statement all_set_aside{db,
                            "SELECT consumer, mailbox, seq, at, reason FROM set_aside WHERE mailbox = ?1 "
                            "ORDER BY consumer, seq LIMIT ?2"};
    Statement set_aside_after{db,
                              "SELECT consumer, mailbox, seq, at, reason FROM set_aside "
                              "WHERE (consumer, mailbox, seq) > (?1, ?2, ?3) ORDER BY consumer, mailbox, seq LIMIT ?4"};
    Statement forget_set_aside{db, "DELETE FROM set_aside WHERE consumer = ?1 AND mailbox = ?2"};
    Statement forget_one_set_aside{db, "DELETE FROM set_aside WHERE consumer = ?1 AND mailbox = ?2 AND seq = ?3"};
    Statement rewind{db,
                     "UPDATE subscription SET acked = min(acked, max(?3, (SELECT released FROM mailbox "
                     "WHERE number = ?2))) WHERE consumer = ?1 AND mailbox = ?2"};
    Statement holds_set_aside{db, "SELECT 1 FROM set_aside WHERE segment = ?1 LIMIT 1"};
    Statement set_aside_count{db, "SELECT count(*) FROM set_aside"};
    Statement needed_by{db,
                        "SELECT u.mailbox FROM segment_use u WHERE u.segment = ?1 AND u.mailbox >= ?2 AND "
                        "coalesce((SELECT min(acked) FROM subscription s WHERE s.mailbox = u.mailbox), -1) "
                        "< u.last_seq ORDER BY u.mailbox LIMIT 1"};
    Statement bodies_released{
        db,
        "UPDATE mailbox SET released = (SELECT CASE WHEN u.last_seq > mailbox.released THEN u.last_seq "
        "ELSE mailbox.released END FROM segment_use u WHERE u.segment = ?1 AND u.mailbox = mailbox.number) "
        "WHERE number IN (SELECT mailbox FROM segment_use WHERE segment = ?1)"};
    Statement forget_segment{db, "DELETE FROM segment_use WHERE segment = ?1"};
    Statement needed_segments{
        db,
        "SELECT segment, max(bytes_end) FROM (SELECT segment, bytes_end FROM segment_use UNION ALL "
        "SELECT segment, bytes_end FROM outbox_segment WHERE live > 0) "
        "GROUP BY segment ORDER BY segment"};
    Statement unreleased_bytes{
        db,
        "SELECT coalesce(sum(u.bytes), 0) FROM segment_use u WHERE "
        "coalesce((SELECT min(acked) FROM subscription s WHERE s.mailbox = u.mailbox), -1) < u.last_seq"};
    Statement unreleased_journal_bytes{
        db,
        "SELECT coalesce(sum(j.length), 0) FROM journal j WHERE "
        "coalesce((SELECT min(acked) FROM subscription s WHERE s.mailbox = j.mailbox), -1) < j.seq"};
    Statement pending_count{db, "SELECT count(*) FROM pending WHERE attempts > 0"};
    Statement journal_rows{db, "SELECT count(*), coalesce(max(segment), 0) FROM journal"};
    Statement newest_bodies{db, "SELECT segment, place, length, crc32c FROM journal ORDER BY n DESC LIMIT ?1"};
    Statement mailbox_count{db, "SELECT count(*) FROM mailbox WHERE removed = 0"};
};

}  // namespace store
