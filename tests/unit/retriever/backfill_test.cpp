#include "engine/retriever/backfill.hpp"

#include "tests/unit/retriever/after_desk.hpp"

using namespace retriever;
using namespace after_desk;

namespace {

const store::Millis new_year{std::chrono::sys_days(std::chrono::year(2020) / 1 / 1)};

/// A folder whose cursor is at UID 10, and of which the ledger has 8 and 9.
struct OldDesk : Desk {
    OldDesk() : Desk(0) {
        add(8);
        add(9);
        REQUIRE(commit([this](store::Workbench bench) {
                    return bench.store.move_cursor(folder, validity, 10);
                }).has_value());
    }
    void ask(std::uint32_t uid_validity = 0, std::uint32_t uid = 0) {
        store::Backfill backfill;
        backfill.folder = folder;
        backfill.from = new_year;
        backfill.uid_validity = uid_validity;
        backfill.uid = uid;
        backfill.asked_at = now();
        put(backfill);
    }
    void put(const store::Backfill& backfill) {
        REQUIRE(commit([&](store::Workbench bench) {
                    return bench.store.folder_notes().put_backfill(backfill);
                }).has_value());
    }
    store::Backfill backfill() {
        return **commit([this](store::Workbench bench) { return bench.store.folder_notes().backfill(folder); });
    }
    std::vector<std::uint32_t> stored() {
        const auto rows = commit([this](store::Workbench bench) { return bench.store.messages(mailbox, 0, 1000); });
        std::vector<std::uint32_t> uids;
        for (const auto& row : *rows) uids.push_back(row.uid);
        return uids;
    }

    struct Said {
        Backfilling::Slice slice;
        std::string surprise;
        bool finished = false;
    };
    /// One connection: the folder is opened, then one slice is taken.
    Said take(const Script& script) {
        Script opening;
        opening.exchange("EXAMINE INBOX", "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 11] n\r\n",
                         "OK [READ-ONLY] done");
        opening.append(script);
        ScriptedStream stream(Turns{server("* OK [CAPABILITY IMAP4rev1] ready\r\n")} + opening.turns());
        imap::Client client(stream, {}, {});
        REQUIRE(result_of(client.greet()).has_value());
        FolderIntake intake({"box", mailbox, "INBOX", {}}, {}, house(), {});
        REQUIRE_FALSE(result_of(intake.open(client)));
        Backfilling older({"box", mailbox, "INBOX"}, house());
        const bool stop = false;
        Said said;
        said.slice = result_of(older.take(client, intake, stop));
        said.surprise = stream.surprise();
        said.finished = stream.finished();
        settle();
        return said;
    }
};

std::string fetch_of(const std::string& set) {
    return "UID FETCH " + set + " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])";
}

std::string message(int sequence, std::uint32_t uid) {
    const auto text = fmt::format("Subject: {}\r\n\r\nhello\r\n", uid);
    return fmt::format("* {} FETCH (UID {} BODY[] {{{}}}\r\n{})\r\n", sequence, uid, text.size(), text);
}

void check_well(const OldDesk::Said& said) {
    CHECK(said.surprise.empty());
    CHECK(said.finished);
    CHECK_FALSE(said.slice.ended);
}

using Uids = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("backfill: what the ledger has is not fetched again, and the cursor stays", "[retriever][backfill]") {
    OldDesk desk;
    desk.ask();
    Script script;
    script.search("SINCE 1-Jan-2020 UID 1:10", "3 5 8 9 12").exchange(fetch_of("3,5"), message(1, 3) + message(2, 5));
    const auto said = desk.take(script);
    check_well(said);
    CHECK_FALSE(said.slice.running);
    CHECK(said.slice.stored == 2);
    CHECK(desk.stored() == Uids{8, 9, 3, 5});
    CHECK(desk.backfill().state == store::Backfill::State::done);
    CHECK(desk.backfill().found == 2);
    CHECK(desk.backfill().taken == 2);
    const auto folder = desk.commit([&](store::Workbench bench) { return bench.store.folder(desk.mailbox, "INBOX"); });
    CHECK(folder->cursor == 10);
    check_well(desk.take(Script()));  // it is over: nothing is asked any more
}

TEST_CASE("backfill: goes on where it was, not at the front", "[retriever][backfill]") {
    OldDesk desk;
    desk.ask(validity, 4);
    Script script;
    script.search("SINCE 1-Jan-2020 UID 5:10", "5").exchange(fetch_of("5"), message(2, 5));
    check_well(desk.take(script));
    CHECK(desk.stored() == Uids{8, 9, 5});
}

TEST_CASE("backfill: under another UIDVALIDITY it begins anew", "[retriever][backfill]") {
    OldDesk desk;
    desk.ask(validity - 1, 4);
    Script script;
    script.search("SINCE 1-Jan-2020 UID 1:10", "3").exchange(fetch_of("3"), message(1, 3));
    check_well(desk.take(script));
    CHECK(desk.backfill().uid_validity == validity);
}

TEST_CASE("backfill: a slice that breaks off is taken again", "[retriever][backfill]") {
    OldDesk desk;
    desk.ask();
    Script broken;
    broken.search("SINCE 1-Jan-2020 UID 1:10", "3 5").lost(fetch_of("3,5"));
    CHECK(desk.take(broken).slice.ended);
    CHECK(desk.backfill().state == store::Backfill::State::running);
    Script whole;
    whole.search("SINCE 1-Jan-2020 UID 1:10", "3 5").exchange(fetch_of("3,5"), message(1, 3) + message(2, 5));
    check_well(desk.take(whole));
    CHECK(desk.stored() == Uids{8, 9, 3, 5});
}

TEST_CASE("backfill: cancelled, it asks for nothing", "[retriever][backfill]") {
    OldDesk desk;
    desk.ask();
    auto backfill = desk.backfill();
    backfill.state = store::Backfill::State::cancelled;
    desk.put(backfill);
    check_well(desk.take(Script()));
    CHECK(desk.backfill() == backfill);
}
