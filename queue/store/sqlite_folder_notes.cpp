#include "queue/store/sqlite_folder_notes.hpp"

namespace store {
namespace {

std::int64_t number(std::uint32_t value) { return value; }

std::uint32_t small(std::int64_t value) { return static_cast<std::uint32_t>(value); }

AfterState read_after_state(const Statement::Rows& row) {
    return {.folder = row.number(0),
            .policy = row.text(1),
            .done = row.number(2),
            .parked = row.text(3),
            .attempts = small(row.number(4)),
            .next_attempt = time_of(row.number(5))};
}

HandOff read_subscription(const Statement::Rows& row) {
    return {.consumer = row.text(0), .mailbox = row.number(1), .acked = row.number(2)};
}

CopyIntent read_copy_intent(const Statement::Rows& row) {
    return {.folder = row.number(0),
            .uid_validity = small(row.number(1)),
            .uids = row.text(2),
            .target = row.text(3),
            .target_uid_validity = small(row.number(4)),
            .target_uid_next = small(row.number(5)),
            .copied = row.number(6) != 0};
}

FirstContact read_first_contact(const Statement::Rows& row) {
    FirstContact contact{.folder = row.number(0),
                         .at = time_of(row.number(1)),
                         .mails = static_cast<std::uint64_t>(row.number(2)),
                         .oldest = {},
                         .passed_over = static_cast<std::uint64_t>(row.number(4))};
    if (const auto oldest = row.number(3); oldest != 0) contact.oldest = time_of(oldest);
    return contact;
}

Backfill read_backfill(const Statement::Rows& row) {
    return {.folder = row.number(0),
            .from = time_of(row.number(1)),
            .state = static_cast<Backfill::State>(row.number(2)),
            .uid_validity = small(row.number(3)),
            .uid = small(row.number(4)),
            .found = static_cast<std::uint64_t>(row.number(5)),
            .taken = static_cast<std::uint64_t>(row.number(6)),
            .asked_at = time_of(row.number(7)),
            .changed_at = time_of(row.number(8))};
}

}  // namespace

struct SqliteFolderNotes::Statements {
    explicit Statements(const Database& database) : db(database) {}
    const Database& db;

    Statement after_state{db,
                          "SELECT folder, policy, done, parked, attempts, next_attempt FROM after_state "
                          "WHERE folder = ?1"};
    Statement put_after_state{db,
                              "INSERT INTO after_state (folder, policy, done, parked, attempts, next_attempt) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (folder) DO UPDATE SET "
                              "policy = excluded.policy, done = excluded.done, parked = excluded.parked, "
                              "attempts = excluded.attempts, next_attempt = excluded.next_attempt"};
    Statement parked_folders{db, "SELECT count(*) FROM after_state WHERE parked <> ''"};
    Statement subscriptions{db,
                            "SELECT consumer, mailbox, acked FROM subscription WHERE mailbox = ?1 ORDER BY consumer"};
    Statement copy_intent{db,
                          "SELECT folder, uid_validity, uids, target, target_uid_validity, target_uid_next, copied "
                          "FROM copy_intent WHERE folder = ?1"};
    Statement put_copy_intent{
        db,
        "INSERT INTO copy_intent (folder, uid_validity, uids, target, target_uid_validity, target_uid_next, copied) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (folder) DO UPDATE SET "
        "uid_validity = excluded.uid_validity, uids = excluded.uids, target = excluded.target, "
        "target_uid_validity = excluded.target_uid_validity, target_uid_next = excluded.target_uid_next, "
        "copied = excluded.copied"};
    Statement remove_copy_intent{db, "DELETE FROM copy_intent WHERE folder = ?1"};
    Statement first_contact{db, "SELECT folder, at, mails, oldest, passed_over FROM first_contact WHERE folder = ?1"};
    Statement put_first_contact{db,
                                "INSERT INTO first_contact (folder, at, mails, oldest, passed_over) "
                                "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (folder) DO UPDATE SET at = excluded.at, "
                                "mails = excluded.mails, oldest = excluded.oldest, "
                                "passed_over = excluded.passed_over"};
    Statement backfill{db,
                       "SELECT folder, from_day, state, uid_validity, uid, found, taken, asked_at, changed_at "
                       "FROM backfill WHERE folder = ?1"};
    Statement put_backfill{
        db,
        "INSERT INTO backfill (folder, from_day, state, uid_validity, uid, found, taken, asked_at, changed_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (folder) DO UPDATE SET from_day = excluded.from_day, "
        "state = excluded.state, uid_validity = excluded.uid_validity, uid = excluded.uid, found = excluded.found, "
        "taken = excluded.taken, asked_at = excluded.asked_at, changed_at = excluded.changed_at"};
};

SqliteFolderNotes::SqliteFolderNotes(SqliteWork& work)
    : work_(work), sql_(std::make_unique<Statements>(work_.database())) {}

SqliteFolderNotes::~SqliteFolderNotes() = default;

Result<std::optional<AfterState>> SqliteFolderNotes::after_state(FolderNumber folder) {
    return work_.first<AfterState>(sql_->after_state, read_after_state, folder);
}

Result<void> SqliteFolderNotes::put_after_state(const AfterState& state) {
    return work_.write(sql_->put_after_state, state.folder, std::string_view(state.policy), state.done,
                       std::string_view(state.parked), number(state.attempts), millis(state.next_attempt));
}

Result<std::uint64_t> SqliteFolderNotes::parked_folders() {
    const auto count = work_.only<std::int64_t>(sql_->parked_folders, read_number);
    if (!count) return {boost::system::in_place_error, count.error()};
    return static_cast<std::uint64_t>(*count);
}

Result<std::vector<HandOff>> SqliteFolderNotes::subscriptions(MailboxNumber mailbox) {
    return work_.all<HandOff>(sql_->subscriptions, read_subscription, mailbox);
}

Result<std::optional<CopyIntent>> SqliteFolderNotes::copy_intent(FolderNumber folder) {
    return work_.first<CopyIntent>(sql_->copy_intent, read_copy_intent, folder);
}

Result<void> SqliteFolderNotes::put_copy_intent(const CopyIntent& intent) {
    return work_.write(sql_->put_copy_intent, intent.folder, number(intent.uid_validity), std::string_view(intent.uids),
                       std::string_view(intent.target), number(intent.target_uid_validity),
                       number(intent.target_uid_next), std::int64_t{intent.copied ? 1 : 0});
}

Result<void> SqliteFolderNotes::remove_copy_intent(FolderNumber folder) {
    return work_.write(sql_->remove_copy_intent, folder);
}

Result<std::optional<FirstContact>> SqliteFolderNotes::first_contact(FolderNumber folder) {
    return work_.first<FirstContact>(sql_->first_contact, read_first_contact, folder);
}

Result<void> SqliteFolderNotes::put_first_contact(const FirstContact& contact) {
    return work_.write(sql_->put_first_contact, contact.folder, millis(contact.at), whole(contact.mails),
                       contact.oldest ? millis(*contact.oldest) : std::int64_t{0}, whole(contact.passed_over));
}

Result<std::optional<Backfill>> SqliteFolderNotes::backfill(FolderNumber folder) {
    return work_.first<Backfill>(sql_->backfill, read_backfill, folder);
}

Result<void> SqliteFolderNotes::put_backfill(const Backfill& backfill) {
    return work_.write(sql_->put_backfill, backfill.folder, millis(backfill.from),
                       static_cast<std::int64_t>(backfill.state), number(backfill.uid_validity), number(backfill.uid),
                       whole(backfill.found), whole(backfill.taken), millis(backfill.asked_at),
                       millis(backfill.changed_at));
}

}  // namespace store
