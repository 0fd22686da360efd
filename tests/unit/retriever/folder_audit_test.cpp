// What a server shows compared with the ledger.

#include "engine/retriever/audit_plan.hpp"
#include "tests/unit/retriever/folder_desk.hpp"

using namespace folder_desk;

namespace {

struct Audits {
    Desk desk;
    config::Start start{};

    /// Four mails are there and in the ledger, and three of them acknowledged.
    void begin() {
        const auto said = desk.connect({search(2, 1), found(2, "1 2 3 4"), fetch_of(3, "1:4"),
                                        server(message(1, 1) + message(2, 2) + message(3, 3) + message(4, 4)), done(3)},
                                       5, 4);
        REQUIRE_FALSE(said.taken.ended);
        desk.commit([mailbox = desk.mailbox](store::Workbench bench) { return bench.store.subscribe("app", mailbox); });
        desk.commit(
            [mailbox = desk.mailbox](store::Workbench bench) { return bench.store.acknowledge("app", mailbox, 3); });
    }
    struct Said {
        FolderIntake::Audited first, second;
        FolderIntake::Taken taken;
        std::string surprise;
    };
    /// Opens the folder, takes what is new, and compares; takes what was unknown and compares again when it was asked
    /// for.
    Said audit(std::vector<Turn> turns, std::uint32_t uid_next, bool again = false, const std::string& can = "") {
        std::vector<Turn> all{server("* OK [CAPABILITY IMAP4rev1" + can + "] ready\r\n"),
                              client("R1 EXAMINE INBOX\r\n"),
                              server("* 5 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT " +
                                     std::to_string(uid_next) + "] n\r\nR1 OK [READ-ONLY] done\r\n")};
        all.insert(all.end(), turns.begin(), turns.end());
        ScriptedStream stream(std::move(all));
        imap::Client client(stream, {}, {});
        REQUIRE(desk.result_of(client.greet()).has_value());
        FolderIntake::Facts facts{"box", desk.mailbox, "INBOX", start};
        Intake::House house{*desk.committer, desk.inbox, desk.budget, desk.clock, desk.counters};
        FolderIntake intake(std::move(facts), {}, house, {});
        REQUIRE_FALSE(desk.result_of(intake.open(client)));
        const bool stop = false;
        Said said;
        said.taken = desk.result_of(intake.take_new(client, FolderIntake::Pendings::retry, stop, desk.unfinished));
        REQUIRE_FALSE(said.taken.ended);
        said.first = desk.result_of(intake.audit(client));
        if (again) {
            said.taken = desk.result_of(intake.take_new(client, FolderIntake::Pendings::retry, stop, desk.unfinished));
            said.second = desk.result_of(intake.audit(client));
        }
        said.surprise = stream.surprise();
        CHECK(stream.finished());
        desk.settle();
        return said;
    }
};

}  // namespace

TEST_CASE("audit: a folder that is caught up adds up, in one round trip", "[retriever][audit]") {
    Audits audits;
    audits.begin();
    const bool extended = GENERATE(false, true);
    const auto asked = extended ? search_of(3, "RETURN (ALL) UID 1:*") : search(3, 1);
    const auto answer =
        extended ? server("* ESEARCH (TAG \"R3\") UID ALL 1:2,4:5\r\nR3 OK done\r\n") : found(3, "1 2 4 5");
    // 3 was deleted; 5 has come just now, and is on its way.
    const auto said = audits.audit({search(2, 5), found(2, "4"), asked, answer}, 5, false, extended ? " ESEARCH" : "");
    CHECK(said.surprise == "");
    CHECK_FALSE(said.first.ended);
    CHECK(said.first.unknown == 0);
    runtime::FolderAudit expected;
    expected.folder = "INBOX";
    expected.on_server = 3;
    expected.delivered = 2;
    expected.undelivered = 1;
    expected.gone = 1;
    CHECK(said.first.result == expected);
    CHECK(audits.desk.counters.messages_missed == 0);
}

TEST_CASE("audit: what the ledger does not know is found, fetched and counted", "[retriever][audit]") {
    Audits audits;
    audits.begin();
    // The cursor stands above mail that was never taken in.
    audits.desk.commit([folder = audits.desk.folder().number](store::Workbench bench) {
        return bench.store.move_cursor(folder, 7, 7);
    });
    const auto said = audits.audit(
        {search(2, 8), found(2, "7"), search(3, 1), found(3, "1 2 3 4 6 7"), search(4, 8), found(4, "7"),
         fetch_of(5, "6:7"), server(message(5, 6) + message(6, 7)), done(5), search(6, 1), found(6, "1 2 3 4 6 7")},
        8, true);
    CHECK(said.surprise == "");
    CHECK(said.first.unknown == 2);
    CHECK(said.first.result.unknown == 2);
    CHECK(said.taken.stored == 2);
    CHECK(said.second.unknown == 0);
    CHECK(said.second.result.undelivered == 3);
    CHECK(said.second.result.on_server == 6);
    CHECK(audits.desk.stored() == std::vector<std::uint32_t>{1, 2, 3, 4, 6, 7});
    CHECK(audits.desk.pending().empty());
    CHECK(audits.desk.counters.messages_missed == 2);
}

TEST_CASE("audit: what was found and cannot be fetched is pending with its reason, also after the process has died",
          "[retriever][audit]") {
    Audits audits;
    audits.begin();
    audits.desk.commit([folder = audits.desk.folder().number](store::Workbench bench) {
        return bench.store.move_cursor(folder, 7, 6);
    });
    const auto first = audits.audit({search(2, 7), found(2, "6"), search(3, 1), found(3, "1 2 3 4 6")}, 7);
    CHECK(first.first.unknown == 1);
    REQUIRE(audits.desk.pending().size() == 1);
    CHECK(holds(audits.desk.pending()[0].reason, "an audit found it"));
    const auto next =
        audits.audit({search(2, 7), found(2, "6"), fetch_of(3, "6"), server("R3 NO no\r\n"), search_of(4, "UID 6"),
                      found(4, "6"), fetch_of(5, "6"), server("R5 NO no\r\n"), search(6, 1), found(6, "1 2 3 4 6")},
                     7);
    CHECK(next.surprise == "");
    CHECK(next.first.unknown == 0);
    CHECK(next.first.result.pending == 1);
    CHECK(holds(audits.desk.pending()[0].reason, "the server refused"));
}

TEST_CASE("audit: mail from before the start is told apart, and what is awaited is no fault", "[retriever][audit]") {
    Audits audits;
    audits.start.from = config::Start::From::fresh;
    REQUIRE_FALSE(audits.desk.connect({search(2, 3), found(2, "2")}, 3, 2, 7, audits.start).taken.ended);
    const auto first = audits.desk.connect(
        {search(2, 3), found(2, "1 2 5"), fetch_of(3, "5"), server(message(3, 5)), done(3)}, 6, 3, 7, audits.start);
    REQUIRE_FALSE(first.taken.ended);
    const auto said = audits.audit({search_of(2, "UID 3:4,6:*"), found(2, "5"), search(3, 1), found(3, "1 2 5")}, 6);
    CHECK(said.surprise == "");
    CHECK(said.first.unknown == 0);
    CHECK(said.first.result.before_start == 2);
    CHECK(said.first.result.undelivered == 1);
    CHECK(said.first.result.awaited == 2);
}

TEST_CASE("audit: due with a new connection, and once a night, each mailbox at its own time", "[retriever][audit]") {
    using namespace std::chrono_literals;
    const WallTime midnight = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);
    CHECK(audit_due("a", midnight + 12h, std::nullopt, false) == AuditDue::cheap_ones);
    CHECK(audit_due("a", midnight + 12h, midnight + 11h, false) == AuditDue::no);
    CHECK(audit_due("a", midnight + 12h, midnight + 11h, true) == AuditDue::cheap_ones);
    CHECK(audit_due("a", midnight + 12h, midnight + 12h - 10min, true) == AuditDue::no);
    std::map<int, int> by_quarter;
    for (int number = 0; number < 1000; ++number) {
        const auto id = "box" + std::to_string(number);
        int quarter = 0;
        while (audit_due(id, midnight + quarter * 15min, midnight - 2h, false) != AuditDue::all) ++quarter;
        ++by_quarter[quarter];
        REQUIRE(quarter <= 20);
        CHECK(audit_due(id, midnight + 6h, midnight + 5h, false) == AuditDue::no);
        CHECK(audit_due(id, midnight + 30h, midnight + 5h, false) == AuditDue::all);
    }
    for (const auto& [quarter, count] : by_quarter) CHECK(count < 120);
}
