#include "queue/store/sqlite_accounting.hpp"

#include <algorithm>

namespace store {
namespace {

using Stage = Renumbering::Stage;

Renumbering read_renumbering(const Statement::Rows& row) {
    return {.folder = row.number(0),
            .began = time_of(row.number(1)),
            .before = static_cast<std::uint32_t>(row.number(2)),
            .now = static_cast<std::uint32_t>(row.number(3)),
            .stage = static_cast<Stage>(row.number(4)),
            .gathered = row.number(5),
            .recognised = static_cast<std::uint64_t>(row.number(6)),
            .fresh = static_cast<std::uint64_t>(row.number(7)),
            .passed_over = static_cast<std::uint64_t>(row.number(8))};
}

UidSpan read_span(const Statement::Rows& row) {
    return {static_cast<std::uint32_t>(row.number(0)), static_cast<std::uint32_t>(row.number(1))};
}

std::int64_t number(std::uint32_t value) { return value; }

}  // namespace

struct SqliteAccounting::Statements {
    explicit Statements(const Database& database) : db(database) {}
    const Database& db;

    Statement wanted_from{db, "SELECT since FROM wanted_mail WHERE folder = ?1"};
    Statement put_wanted_from{db,
                              "INSERT INTO wanted_mail (folder, since) VALUES (?1, ?2) "
                              "ON CONFLICT (folder) DO UPDATE SET since = excluded.since"};
    Statement span_before{db,
                          "SELECT first, last FROM passed_over WHERE folder = ?1 AND uid_validity = ?2 AND first <= ?3 "
                          "ORDER BY first DESC LIMIT 1"};
    Statement put_span{db,
                       "INSERT INTO passed_over (folder, uid_validity, first, last) VALUES (?1, ?2, ?3, ?4) "
                       "ON CONFLICT (folder, uid_validity, first) DO UPDATE SET last = excluded.last"};
    Statement spans{db, "SELECT first, last FROM passed_over WHERE folder = ?1 AND uid_validity = ?2 ORDER BY first"};
    Statement forget_spans{db, "DELETE FROM passed_over WHERE folder = ?1 AND uid_validity <> ?2"};

    Statement renumbering{db,
                          "SELECT folder, began, validity_before, validity_now, stage, gathered, recognised, fresh, "
                          "passed_over FROM renumbering WHERE folder = ?1 ORDER BY began DESC LIMIT 1"};
    Statement renumberings{db, "SELECT count(*) FROM renumbering WHERE folder = ?1 AND began > ?2"};
    Statement put_renumbering{db,
                              "INSERT INTO renumbering (folder, began, validity_before, validity_now, stage, gathered, "
                              "recognised, fresh, passed_over) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
                              "ON CONFLICT (folder, began) DO UPDATE SET stage = excluded.stage, "
                              "gathered = excluded.gathered, recognised = excluded.recognised, "
                              "fresh = excluded.fresh, passed_over = excluded.passed_over"};
    Statement gathered_to{db,
                          "SELECT count(*), coalesce(max(seq), 0) FROM (SELECT seq FROM message "
                          "WHERE mailbox = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3)"};
    Statement gather{db,
                     "INSERT INTO recognisable (folder, fingerprint, seq) SELECT folder, fingerprint, seq FROM message "
                     "WHERE mailbox = ?1 AND seq > ?2 AND seq <= ?3 AND folder = ?4 ORDER BY fingerprint, seq "
                     "ON CONFLICT (folder, fingerprint, seq) DO NOTHING"};
    Statement gather_newest{db,
                            "INSERT INTO recognisable (folder, fingerprint, seq) SELECT folder, fingerprint, seq "
                            "FROM journal WHERE folder = ?1 ORDER BY fingerprint, seq "
                            "ON CONFLICT (folder, fingerprint, seq) DO NOTHING"};
    Statement outcome{db,
                      "SELECT (SELECT count(*) FROM recognised WHERE folder = ?1), "
                      "(SELECT count(*) FROM message_uid WHERE folder = ?1 AND uid_validity = ?2) + "
                      "(SELECT count(*) FROM journal WHERE folder = ?1 AND uid_validity = ?2), "
                      "(SELECT coalesce(sum(last - first + 1), 0) FROM passed_over WHERE folder = ?1 AND uid_validity "
                      "= ?2)"};
    Statement matches{db,
                      "SELECT c.seq, EXISTS (SELECT 1 FROM recognised r WHERE r.folder = ?1 AND r.seq = c.seq) "
                      "FROM recognisable c WHERE c.folder = ?1 AND c.fingerprint = ?2 ORDER BY c.seq"};
    Statement give_uid{db,
                       "INSERT INTO message_uid (folder, uid_validity, uid, seq) VALUES (?1, ?2, ?3, ?4) "
                       "ON CONFLICT (folder, uid_validity, uid) DO UPDATE SET seq = excluded.seq"};
    Statement take{db, "INSERT INTO recognised (folder, seq) VALUES (?1, ?2) ON CONFLICT (folder, seq) DO NOTHING"};
    Statement forget_recognisable{db, "DELETE FROM recognisable WHERE folder = ?1"};
    Statement forget_recognised{db, "DELETE FROM recognised WHERE folder = ?1"};

    Statement seq_of_email_id{db,
                              "SELECT e.seq FROM email_id e WHERE e.mailbox = ?1 AND e.id = ?2 AND NOT EXISTS "
                              "(SELECT 1 FROM set_aside s WHERE s.mailbox = e.mailbox AND s.seq = e.seq)"};
    Statement note_email_id{db,
                            "INSERT INTO email_id (mailbox, id, seq) VALUES (?1, ?2, ?3) "
                            "ON CONFLICT (mailbox, id) DO UPDATE SET seq = excluded.seq"};

    Statement mark_repeat{db,
                          "INSERT INTO possible_repeat (mailbox, seq) VALUES (?1, ?2) "
                          "ON CONFLICT (mailbox, seq) DO NOTHING"};
    Statement marked_repeats{
        db, "SELECT seq FROM possible_repeat WHERE mailbox = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq"};
};

SqliteAccounting::SqliteAccounting(SqliteWork& work)
    : work_(work), sql_(std::make_unique<Statements>(work_.database())) {}

SqliteAccounting::~SqliteAccounting() = default;

Result<std::optional<Millis>> SqliteAccounting::wanted_from(FolderNumber folder) {
    const auto read = [](const Statement::Rows& row) { return time_of(row.number(0)); };
    return work_.first<Millis>(sql_->wanted_from, read, folder);
}

Result<void> SqliteAccounting::put_wanted_from(FolderNumber folder, Millis from) {
    return work_.write(sql_->put_wanted_from, folder, millis(from));
}

Result<void> SqliteAccounting::pass_over(FolderNumber folder, std::uint32_t uid_validity, UidSpan span) {
    const auto before =
        work_.first<UidSpan>(sql_->span_before, read_span, folder, number(uid_validity), number(span.first));
    if (!before) return before.error();
    const auto& known = *before;
    if (known && known->last >= span.last) return {};
    const bool touches = known && known->last + 1ULL >= span.first;
    return work_.write(sql_->put_span, folder, number(uid_validity), number(touches ? known->first : span.first),
                       number(span.last));
}

Result<std::vector<UidSpan>> SqliteAccounting::passed_over(FolderNumber folder, std::uint32_t uid_validity) {
    return work_.all<UidSpan>(sql_->spans, read_span, folder, number(uid_validity));
}

Result<std::optional<Renumbering>> SqliteAccounting::renumbering(FolderNumber folder) {
    return work_.first<Renumbering>(sql_->renumbering, read_renumbering, folder);
}

Result<std::uint64_t> SqliteAccounting::renumberings(FolderNumber folder, Millis since) {
    const auto count = work_.only<std::int64_t>(sql_->renumberings, read_number, folder, millis(since));
    if (!count) return {boost::system::in_place_error, count.error()};
    return static_cast<std::uint64_t>(*count);
}

Result<void> SqliteAccounting::put_renumbering(const Renumbering& what) {
    Result<void> step;
    const bool begins = what.stage == Stage::gathering && what.gathered == 0;
    if (begins || what.stage == Stage::over) {
        step = work_.write(sql_->forget_recognisable, what.folder);
        if (step) step = work_.write(sql_->forget_recognised, what.folder);
        if (step) step = work_.write(sql_->forget_spans, what.folder, number(what.now));
    }
    if (!step) return step;
    return write_stage(what);
}

Result<void> SqliteAccounting::write_stage(const Renumbering& what) {
    return work_.write(sql_->put_renumbering, what.folder, millis(what.began), number(what.before), number(what.now),
                       static_cast<std::int64_t>(what.stage), what.gathered, whole(what.recognised), whole(what.fresh),
                       whole(what.passed_over));
}

Result<void> SqliteAccounting::conclude(Renumbering& what) {
    const auto counts = work_.only<Renumbering>(
        sql_->outcome,
        [](const Statement::Rows& row) {
            Renumbering counted;
            counted.recognised = static_cast<std::uint64_t>(row.number(0));
            counted.fresh = static_cast<std::uint64_t>(row.number(1)) - counted.recognised;
            counted.passed_over = static_cast<std::uint64_t>(row.number(2));
            return counted;
        },
        what.folder, number(what.now));
    if (!counts) return counts.error();
    what.recognised = counts->recognised;
    what.fresh = counts->fresh;
    what.passed_over = counts->passed_over;
    what.stage = Stage::compared;
    return write_stage(what);
}

Result<void> SqliteAccounting::gather(Renumbering& what, MailboxNumber mailbox, std::size_t messages_max) {
    struct Reach {
        std::uint64_t messages = 0;
        Seq last = 0;
    };
    const auto read = [](const Statement::Rows& row) {
        return Reach{static_cast<std::uint64_t>(row.number(0)), row.number(1)};
    };
    const auto reach = work_.only<Reach>(sql_->gathered_to, read, mailbox, what.gathered, whole(messages_max));
    if (!reach) return reach.error();
    auto step = work_.write(sql_->gather, mailbox, what.gathered, reach->last, what.folder);
    if (!step) return step;
    what.gathered = std::max(what.gathered, reach->last);
    if (reach->messages < messages_max) {
        step = work_.write(sql_->gather_newest, what.folder);
        if (!step) return step;
        what.stage = Stage::comparing;
    }
    return write_stage(what);
}

Result<Accounting::Matches> SqliteAccounting::matches(FolderNumber folder, const Digest& fingerprint) {
    struct Candidate {
        Seq seq = 0;
        bool taken = false;
    };
    const auto read = [](const Statement::Rows& row) { return Candidate{row.number(0), row.number(1) != 0}; };
    const auto rows = work_.all<Candidate>(sql_->matches, read, folder, Blob(fingerprint));
    if (!rows) return rows.error();
    Matches matches;
    for (const auto& row : *rows) {
        if (row.taken)
            ++matches.taken;
        else
            matches.open.push_back(row.seq);
    }
    return matches;
}

Result<void> SqliteAccounting::recognise(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid, Seq seq) {
    const auto given = work_.write(sql_->give_uid, folder, number(uid_validity), number(uid), seq);
    if (!given) return given;
    return work_.write(sql_->take, folder, seq);
}

Result<Seq> SqliteAccounting::seq_of_email_id(MailboxNumber mailbox, std::string_view id) {
    const auto found = work_.first<Seq>(sql_->seq_of_email_id, read_number, mailbox, id);
    if (!found) return found.error();
    return found->value_or(0);
}

Result<void> SqliteAccounting::note_email_id(MailboxNumber mailbox, std::string_view id, Seq seq) {
    return work_.write(sql_->note_email_id, mailbox, id, seq);
}

Result<void> SqliteAccounting::mark_repeat(MailboxNumber mailbox, Seq seq) {
    return work_.write(sql_->mark_repeat, mailbox, seq);
}

Result<std::vector<Seq>> SqliteAccounting::marked_repeats(MailboxNumber mailbox, Seq first, Seq last) {
    return work_.all<Seq>(sql_->marked_repeats, read_number, mailbox, first, last);
}

}  // namespace store
