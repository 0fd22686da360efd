#include "engine/alarming/board.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "engine/alarming/notice.hpp"

using namespace std::chrono_literals;
using namespace alarming;

namespace {

constexpr WallTime noon(std::chrono::hours(1'000'000));
constexpr auto unit = 30s;

Condition dead(std::string credential, std::string step = {}) {
    return {Rule::grant_dead, std::move(credential), std::move(step), "nobody can log in", "authorize it"};
}

using Is = Board::Change::Is;

}  // namespace

TEST_CASE("an alarm is raised when its condition has stood, and is over when it has been gone", "[alarm]") {
    Board board;
    CHECK(board.look({dead("svc")}, noon, unit).empty());
    CHECK(board.look({dead("svc")}, noon + 29s, unit).empty());
    const auto raised = board.look({dead("svc")}, noon + 30s, unit);
    REQUIRE(raised.size() == 1);
    CHECK(raised[0].is == Is::raised);
    CHECK(raised[0].since == noon);
    CHECK(board.look({dead("svc")}, noon + 1h, unit).empty());  // once
    CHECK(board.look({}, noon + 2h, unit).empty());
    CHECK(board.look({}, noon + 2h + 59s, unit).empty());
    const auto cleared = board.look({}, noon + 2h + 60s, unit);
    REQUIRE(cleared.size() == 1);
    CHECK(cleared[0].is == Is::cleared);
    CHECK(board.raised().empty());
}

TEST_CASE("what comes and goes within seconds is told to nobody, for hours it is told once", "[alarm]") {
    Board board;
    CHECK(board.look({dead("svc")}, noon, unit).empty());
    CHECK(board.look({}, noon + 10s, unit).empty());
    CHECK(board.look({}, noon + 80s, unit).empty());
    CHECK(board.look({dead("svc")}, noon + 90s, unit).empty());  // it began anew
    std::size_t told = 0;
    for (auto at = noon + 90s; at < noon + 3h; at += 20s) {
        const bool there = (at.time_since_epoch() / 20s) % 2 == 0;
        told += board.look(there ? std::vector{dead("svc")} : std::vector<Condition>(), at, unit).size();
    }
    CHECK(told == 1);
}

TEST_CASE("a step further is told anew, and the step before is not said to be over", "[alarm]") {
    Board board;
    CHECK(board.look({dead("svc", "30")}, noon, 0s).size() == 1);
    const auto worse = board.look({dead("svc", "14")}, noon + 1h, 0s);
    REQUIRE(worse.size() == 1);
    CHECK(worse[0].is == Is::raised);
    CHECK(worse[0].condition.step == "14");
    CHECK(board.raised().size() == 1);
    CHECK(board.look({}, noon + 2h, 0s).size() == 1);
}

TEST_CASE("raised and over take turns, whatever happens and whenever the process begins anew", "[alarm]") {
    std::mt19937 dice(7);
    Board board;
    std::map<std::string, bool> standing;
    for (auto at = noon; at < noon + 48h; at += 10s) {
        std::vector<Condition> there;
        for (const auto* id : {"a", "b", "c"}) {
            if (dice() % 5 != 0) there.push_back(dead(id));
        }
        if (dice() % 50 == 0) there.clear();
        if (dice() % 200 == 0) at += 10min;
        for (const auto& change : board.look(there, at, unit)) {
            bool& stands = standing[change.condition.subject];
            CHECK(stands == (change.is == Is::cleared));
            stands = change.is == Is::raised;
        }
        if (dice() % 100 == 0) board = Board::read(board.written());
    }
    CHECK(standing.size() == 3);
}

TEST_CASE("what is kept of the board comes back, and what cannot be read is no alarm", "[alarm]") {
    Board board;
    REQUIRE(board.look({dead("büro \"1\"", "7")}, noon, 0s).size() == 1);
    const auto again = Board::read(board.written());
    REQUIRE(again.raised().size() == 1);
    CHECK(again.raised()[0].condition.key() == dead("büro \"1\"", "7").key());
    CHECK(again.raised()[0].since == noon);
    for (const auto* broken : {"", "null", "[1]", R"([{"rule": "unheard-of"}])", R"([{"rule": 7}])", "[{"})
        CHECK(Board::read(broken).raised().empty());
    CHECK(Board::read(R"([{"rule": "disk-full", "since": "x"}])").raised().size() == 1);
}

TEST_CASE("many changes are one mail, grouped by rule and cut", "[alarm]") {
    Notice notice{.from = "alarm@x.test",
                  .to = {"a@x.test", "b@x.test"},
                  .host = "mail1",
                  .changes = {},
                  .standing = 30,
                  .at = WallTime(std::chrono::seconds(1'800'000'000))};
    for (int i = 0; i < 30; ++i) notice.changes.push_back({Is::raised, dead("svc" + std::to_string(i)), noon});
    notice.changes.push_back({Is::cleared, {Rule::disk_full, {}, {}, "the disk is full", "make room"}, noon});
    const auto text = message_of(notice);
    CHECK_THAT(text, Catch::StartsWith("From: Rohrpost <alarm@x.test>\r\nTo: a@x.test,\r\n b@x.test\r\n"
                                       "Subject: [Rohrpost mail1] 30 alarms, 1 over, first: nobody can log in\r\n"));
    CHECK_THAT(text, Catch::Contains("\r\nAuto-Submitted: auto-generated\r\n"));
    CHECK_THAT(text, Catch::Contains("grant-dead (30):") && Catch::Contains("  and 10 more\r\n"));
    CHECK_THAT(text, Catch::Contains("Over:\r\n\r\ndisk-full (1):\r\n  * the disk is full"));
    CHECK_THAT(text, !Catch::Contains("make room"));
    CHECK_THAT(text, Catch::Contains("30 alarms stand."));
}

TEST_CASE("words of servers begin no field and no line, and other letters than ASCII are encoded", "[alarm]") {
    Notice notice{.from = "alarm@x.test", .to = {"a@x.test"}, .host = "mail1", .changes = {}, .standing = 1, .at = {}};
    notice.changes.push_back({Is::raised, {Rule::mailbox_stuck, "a", {}, "no\r\nBcc: evil@x.test\n\n.\r\n", {}}, noon});
    auto text = message_of(notice);
    CHECK_THAT(text, !Catch::Contains("\nBcc:") && !Catch::Contains("\n.\r"));
    CHECK_THAT(text, Catch::Contains("Content-Transfer-Encoding: 7bit"));
    notice.changes[0].condition.what = "Büro: " + std::string(3000, 'x');
    text = message_of(notice);
    CHECK_THAT(text, Catch::Contains("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64"));
    std::size_t longest = 0;
    for (std::size_t at = 0, end = 0; (end = text.find("\r\n", at)) != std::string::npos; at = end + 2)
        longest = std::max(longest, end - at);
    CHECK(longest < 250);
    CHECK(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}
