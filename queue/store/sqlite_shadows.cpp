#include "queue/store/sqlite_shadows.hpp"

#include <algorithm>

namespace store {
namespace {

std::int64_t number_of(std::uint32_t value) { return value; }

std::uint32_t small(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// In the tables a time of 0 is none.
std::optional<ShadowEvent> event_of(std::int64_t after, std::int64_t at) {
    if (at == 0) return std::nullopt;
    return ShadowEvent{.after = time_of(after), .at = time_of(at)};
}
std::int64_t after_of(const std::optional<ShadowEvent>& event) { return event ? millis(event->after) : 0; }
std::int64_t at_of(const std::optional<ShadowEvent>& event) { return event ? millis(event->at) : 0; }

ShadowFolder read_folder(const Statement::Rows& row) {
    return {.folder = row.number(0),
            .mailbox = row.number(1),
            .uid_validity = small(row.number(2)),
            .floor = small(row.number(3)),
            .cursor = small(row.number(4)),
            .settled = small(row.number(5)),
            .compares = row.number(6) != 0,
            .since = time_of(row.number(7)),
            .looked_at = time_of(row.number(8)),
            .unseen = static_cast<std::uint64_t>(row.number(9))};
}

ShadowMail read_mail(const Statement::Rows& row) {
    ShadowMail mail;
    mail.number = row.number(0);
    mail.mailbox = row.number(1);
    mail.folder = row.number(2);
    mail.uid_validity = small(row.number(3));
    mail.uid = small(row.number(4));
    const std::string fingerprint = row.text(5);
    std::copy_n(fingerprint.begin(), std::min(fingerprint.size(), mail.fingerprint.size()), mail.fingerprint.begin());
    mail.message_id = row.text(6);
    mail.bytes = static_cast<std::uint64_t>(row.number(7));
    mail.internal_date = time_of(row.number(8));
    mail.arrived_at = time_of(row.number(9));
    mail.first_seen = time_of(row.number(10));
    mail.again = row.number(11) != 0;
    mail.seen = event_of(row.number(12), row.number(13));
    mail.gone = event_of(row.number(14), row.number(15));
    return mail;
}

ShadowUid read_uid(const Statement::Rows& row) {
    return {.number = row.number(0), .uid = small(row.number(1)), .seen = row.number(2) != 0};
}

struct Old {
    std::int64_t number = 0;
    FolderNumber folder = 0;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid = 0;
};
Old read_old(const Statement::Rows& row) {
    return {.number = row.number(0),
            .folder = row.number(1),
            .uid_validity = small(row.number(2)),
            .uid = small(row.number(3))};
}

}  // namespace

struct SqliteShadows::Statements {
    explicit Statements(const Database& database) : db(database) {}
    const Database& db;

    Statement folder{db,
                     "SELECT folder, mailbox, uid_validity, floor, cursor, settled, compares, since, looked_at, unseen "
                     "FROM shadow_folder WHERE folder = ?1"};
    Statement folders{db,
                      "SELECT s.folder, s.mailbox, s.uid_validity, s.floor, s.cursor, s.settled, s.compares, s.since, "
                      "s.looked_at, s.unseen FROM folder AS f JOIN shadow_folder AS s ON s.folder = f.number "
                      "WHERE f.mailbox = ?1 ORDER BY s.folder"};
    Statement put_folder{
        db,
        "INSERT INTO shadow_folder (folder, mailbox, uid_validity, floor, cursor, settled, compares, since, looked_at, "
        "unseen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (folder) DO UPDATE SET "
        "mailbox = excluded.mailbox, uid_validity = excluded.uid_validity, floor = excluded.floor, "
        "cursor = excluded.cursor, settled = excluded.settled, compares = excluded.compares, since = excluded.since, "
        "looked_at = excluded.looked_at, unseen = excluded.unseen"};
    Statement add{
        db,
        "INSERT INTO shadow_mail (mailbox, folder, uid_validity, uid, fingerprint, message_id, bytes, internal_date, "
        "arrived_at, first_seen, again, seen_after, seen_at, gone_after, gone_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"};
    Statement last_number{db, "SELECT last_insert_rowid()"};
    Statement find{db,
                   "SELECT number, mailbox, folder, uid_validity, uid, fingerprint, message_id, bytes, internal_date, "
                   "arrived_at, first_seen, again, seen_after, seen_at, gone_after, gone_at FROM shadow_mail "
                   "WHERE folder = ?1 AND uid_validity = ?2 AND uid = ?3 ORDER BY number LIMIT 1"};
    Statement alike{db,
                    "SELECT number, mailbox, folder, uid_validity, uid, fingerprint, message_id, bytes, internal_date, "
                    "arrived_at, first_seen, again, seen_after, seen_at, gone_after, gone_at FROM shadow_mail "
                    "WHERE mailbox = ?1 AND fingerprint = ?2 ORDER BY number LIMIT ?3"};
    Statement renumber{db, "UPDATE shadow_mail SET uid_validity = ?2, uid = ?3 WHERE number = ?1"};
    Statement put_seen{db, "UPDATE shadow_mail SET seen_after = ?2, seen_at = ?3 WHERE number = ?1"};
    Statement put_gone{db, "UPDATE shadow_mail SET gone_after = ?2, gone_at = ?3 WHERE number = ?1"};
    Statement lose_others{db,
                          "UPDATE shadow_mail SET gone_after = ?3, gone_at = ?4 "
                          "WHERE folder = ?1 AND (uid_validity < ?2 OR uid_validity > ?2) AND gone_at = 0"};
    Statement there{db,
                    "SELECT number, uid, seen_at FROM shadow_mail WHERE folder = ?1 AND uid_validity = ?2 AND uid > ?3 "
                    "AND gone_at = 0 ORDER BY uid LIMIT ?4"};
    Statement oldest_there{db,
                           "SELECT internal_date FROM shadow_mail WHERE folder = ?1 AND gone_at = 0 "
                           "ORDER BY internal_date LIMIT 1"};
    Statement old{db,
                  "SELECT number, folder, uid_validity, uid FROM shadow_mail "
                  "WHERE mailbox = ?1 AND arrived_at < ?2 ORDER BY arrived_at, number LIMIT ?3"};
    Statement raise_floor{db,
                          "UPDATE shadow_folder SET floor = ?3 WHERE folder = ?1 AND uid_validity = ?2 AND floor < ?3"};
    Statement forget{db, "DELETE FROM shadow_mail WHERE number = ?1"};
    Statement mails{db,
                    "SELECT number, mailbox, folder, uid_validity, uid, fingerprint, message_id, bytes, internal_date, "
                    "arrived_at, first_seen, again, seen_after, seen_at, gone_after, gone_at FROM shadow_mail "
                    "WHERE mailbox = ?1 AND (arrived_at, number) > (?2, ?3) ORDER BY arrived_at, number LIMIT ?4"};
    // By name: the indexes of what is not taken hold nothing else.
    Statement not_seen{db,
                       "SELECT count(*) FROM shadow_mail INDEXED BY shadow_mail_unseen WHERE folder = ?1 "
                       "AND arrived_at <= ?2 AND seen_at = 0 AND gone_at = 0 AND again = 0"};
    Statement not_removed{db,
                          "SELECT count(*) FROM shadow_mail INDEXED BY shadow_mail_there WHERE folder = ?1 "
                          "AND arrived_at <= ?2 AND gone_at = 0 AND again = 0"};
    Statement next_not_seen{db,
                            "SELECT arrived_at FROM shadow_mail INDEXED BY shadow_mail_unseen WHERE folder = ?1 "
                            "AND arrived_at > ?2 AND seen_at = 0 AND gone_at = 0 AND again = 0 "
                            "ORDER BY arrived_at LIMIT 1"};
    Statement next_not_removed{db,
                               "SELECT arrived_at FROM shadow_mail INDEXED BY shadow_mail_there WHERE folder = ?1 "
                               "AND arrived_at > ?2 AND gone_at = 0 AND again = 0 ORDER BY arrived_at LIMIT 1"};
};

SqliteShadows::SqliteShadows(SqliteWork& work) : work_(work), sql_(std::make_unique<Statements>(work_.database())) {}

SqliteShadows::~SqliteShadows() = default;

Result<std::optional<ShadowFolder>> SqliteShadows::folder(FolderNumber folder) {
    return work_.first<ShadowFolder>(sql_->folder, read_folder, folder);
}

Result<std::vector<ShadowFolder>> SqliteShadows::folders(MailboxNumber mailbox) {
    return work_.all<ShadowFolder>(sql_->folders, read_folder, mailbox);
}

Result<void> SqliteShadows::put_folder(const ShadowFolder& folder) {
    return work_.write(sql_->put_folder, folder.folder, folder.mailbox, number_of(folder.uid_validity),
                       number_of(folder.floor), number_of(folder.cursor), number_of(folder.settled),
                       std::int64_t{folder.compares ? 1 : 0}, millis(folder.since), millis(folder.looked_at),
                       whole(folder.unseen));
}

Result<std::int64_t> SqliteShadows::add(const ShadowMail& mail) {
    const auto added = work_.write(sql_->add, mail.mailbox, mail.folder, number_of(mail.uid_validity),
                                   number_of(mail.uid), Blob(mail.fingerprint), std::string_view(mail.message_id),
                                   whole(mail.bytes), millis(mail.internal_date), millis(mail.arrived_at),
                                   millis(mail.first_seen), std::int64_t{mail.again ? 1 : 0}, after_of(mail.seen),
                                   at_of(mail.seen), after_of(mail.gone), at_of(mail.gone));
    if (!added) return added.error();
    return work_.only<std::int64_t>(sql_->last_number, read_number);
}

Result<std::optional<ShadowMail>> SqliteShadows::find(FolderNumber folder, std::uint32_t uid_validity,
                                                      std::uint32_t uid) {
    return work_.first<ShadowMail>(sql_->find, read_mail, folder, number_of(uid_validity), number_of(uid));
}

Result<std::vector<ShadowMail>> SqliteShadows::alike(MailboxNumber mailbox, const Digest& fingerprint,
                                                     std::size_t limit) {
    return work_.all<ShadowMail>(sql_->alike, read_mail, mailbox, Blob(fingerprint), whole(limit));
}

Result<void> SqliteShadows::renumber(std::int64_t number, std::uint32_t uid_validity, std::uint32_t uid) {
    return work_.write(sql_->renumber, number, number_of(uid_validity), number_of(uid));
}

Result<void> SqliteShadows::put_seen(std::int64_t number, const ShadowEvent& seen) {
    return work_.write(sql_->put_seen, number, millis(seen.after), millis(seen.at));
}

Result<void> SqliteShadows::put_gone(std::int64_t number, const std::optional<ShadowEvent>& gone) {
    return work_.write(sql_->put_gone, number, after_of(gone), at_of(gone));
}

Result<std::uint64_t> SqliteShadows::lose_others(FolderNumber folder, std::uint32_t uid_validity,
                                                 const ShadowEvent& gone) {
    const auto lost =
        work_.write(sql_->lose_others, folder, number_of(uid_validity), millis(gone.after), millis(gone.at));
    if (!lost) return lost.error();
    return static_cast<std::uint64_t>(work_.database().changes());
}

Result<std::vector<ShadowUid>> SqliteShadows::there(FolderNumber folder, std::uint32_t uid_validity,
                                                    std::uint32_t after, std::size_t limit) {
    return work_.all<ShadowUid>(sql_->there, read_uid, folder, number_of(uid_validity), number_of(after), whole(limit));
}

Result<std::optional<Millis>> SqliteShadows::oldest_there(FolderNumber folder) {
    const auto oldest = work_.first<std::int64_t>(sql_->oldest_there, read_number, folder);
    if (!oldest) return oldest.error();
    const auto& time = *oldest;
    if (!time) return std::optional<Millis>();
    return std::optional(time_of(*time));
}

Result<std::uint64_t> SqliteShadows::forget(MailboxNumber mailbox, Millis before, std::size_t limit) {
    const auto old = work_.all<Old>(sql_->old, read_old, mailbox, millis(before), whole(limit));
    if (!old) return old.error();
    for (const auto& mail : *old) {
        auto step = work_.write(sql_->forget, mail.number);
        if (step) step = work_.write(sql_->raise_floor, mail.folder, number_of(mail.uid_validity), number_of(mail.uid));
        if (!step) return step.error();
    }
    return old->size();
}

Result<std::vector<ShadowMail>> SqliteShadows::mails(MailboxNumber mailbox, const Place& after, std::size_t limit) {
    return work_.all<ShadowMail>(sql_->mails, read_mail, mailbox, millis(after.arrived_at), after.number, whole(limit));
}

Result<std::uint64_t> SqliteShadows::not_taken(FolderNumber folder, Taken taken, Millis arrived_until) {
    auto& statement = taken == Taken::seen ? sql_->not_seen : sql_->not_removed;
    const auto count = work_.only<std::int64_t>(statement, read_number, folder, millis(arrived_until));
    if (!count) return {boost::system::in_place_error, count.error()};
    return static_cast<std::uint64_t>(*count);
}

Result<std::optional<Millis>> SqliteShadows::next_not_taken(FolderNumber folder, Taken taken, Millis arrived_after) {
    auto& statement = taken == Taken::seen ? sql_->next_not_seen : sql_->next_not_removed;
    const auto first = work_.first<std::int64_t>(statement, read_number, folder, millis(arrived_after));
    if (!first) return first.error();
    const auto& time = *first;
    if (!time) return std::optional<Millis>();
    return std::optional(time_of(*time));
}

}  // namespace store
