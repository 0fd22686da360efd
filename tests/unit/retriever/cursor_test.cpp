#include <catch2/catch.hpp>

#include "engine/retriever/cursor.hpp"

using retriever::FolderPlan;

namespace {

store::Folder known(std::uint32_t validity, std::uint32_t cursor) {
    store::Folder folder;
    folder.uid_validity = validity;
    folder.cursor = cursor;
    return folder;
}

imap::Selected now(std::uint32_t validity, std::uint32_t uid_next) {
    imap::Selected selected;
    selected.uid_validity = validity;
    selected.uid_next = uid_next;
    return selected;
}

config::Start start(config::Start::From from) {
    config::Start begin;
    begin.from = from;
    begin.date = std::chrono::year(2026) / 3 / 2;
    return begin;
}

}  // namespace

TEST_CASE("a folder goes on, is adopted or is frozen, and is never re-baselined", "[retriever][hostile-36]") {
    using From = config::Start::From;
    using Act = FolderPlan::Act;
    struct Row {
        const char* what;
        store::Folder before;
        imap::Selected after;
        From from;
        Act act;
        std::uint32_t cursor;
    };
    const std::vector<Row> rows{
        {"same UIDVALIDITY", known(7, 40), now(7, 41), From::all, Act::go_on, 40},
        {"same UIDVALIDITY, UIDNEXT not said", known(7, 40), now(7, 0), From::all, Act::go_on, 40},
        {"first contact, all", known(0, 0), now(7, 41), From::all, Act::adopt, 0},
        {"first contact, new", known(0, 0), now(7, 41), From::fresh, Act::adopt, 40},
        {"first contact, new, empty folder", known(0, 0), now(7, 1), From::fresh, Act::adopt, 0},
        {"first contact, date", known(0, 0), now(7, 41), From::date, Act::adopt, 0},
        {"first contact, new, UIDNEXT not said", known(0, 0), now(7, 0), From::fresh, Act::freeze, 0},
        {"UIDVALIDITY changed", known(7, 40), now(8, 41), From::all, Act::renumber, 0},
        {"UIDVALIDITY changed, start new", known(7, 40), now(8, 41), From::fresh, Act::renumber, 0},
        {"UIDVALIDITY 0", known(0, 0), now(0, 41), From::all, Act::freeze, 0},
        {"UIDNEXT went back", known(7, 40), now(7, 40), From::all, Act::freeze, 0},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        const auto plan = retriever::plan_of(row.before, row.after, start(row.from));
        CHECK(plan.act == row.act);
        CHECK(plan.reason.empty() == (row.act != Act::freeze));
        if (row.act != Act::freeze) CHECK(plan.cursor == row.cursor);
    }
    CHECK(retriever::plan_of(known(0, 0), now(7, 41), start(From::date)).since == "2-Mar-2026");
}

TEST_CASE("the search for new mail and its answer", "[retriever]") {
    CHECK(retriever::search_for_new(17, "", {}) == "UID 18:*");
    CHECK(retriever::search_for_new(17, "", imap::UidSet::of({{12, 12}, {15, 16}, {18, 20}})) == "UID 12,15:16,18:*");
    CHECK(retriever::search_for_new(0, "2-Mar-2026", {}) == "SINCE 2-Mar-2026 UID 1:*");
    CHECK(retriever::search_for_new(4294967295U, "", {}) == "UID 4294967296:*");

    imap::UidSet found;
    found.add(imap::UidRange{3, 20});
    found.add(imap::UidRange{30, 31});
    CHECK(retriever::above(found, 17).text() == "18:20,30:31");
    CHECK(retriever::above(found, 31).empty());
    CHECK(retriever::above(found, 0).text() == "3:20,30:31");
}

TEST_CASE("UIDs that are missing below others are awaited, the highest of them when there are many", "[retriever]") {
    struct Row {
        std::vector<imap::UidRange> shown;
        std::uint32_t cursor;
        std::string missing;
    };
    const Row rows[]{{{}, 4, ""},
                     {{{5, 9}}, 4, ""},
                     {{{6, 9}}, 4, "5"},
                     {{{6, 7}, {10, 10}}, 4, "5,8:9"},
                     {{{6, 7}, {10, 10}}, 8, "9"},
                     {{{300, 300}}, 0, "44:299"},
                     {{{1, 1}, {257, 257}, {300, 300}}, 0, "43:256,258:299"},
                     {{{4294967295U, 4294967295U}}, 4294967293U, "4294967294"},
                     {{{1, 4294967295U}}, 0, ""}};
    for (const auto& row : rows) {
        CAPTURE(row.cursor, row.missing);
        CHECK(retriever::unshown(imap::UidSet::of(row.shown), row.cursor).text() == row.missing);
    }
}
