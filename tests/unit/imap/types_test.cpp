#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "protocols/imap/types.hpp"

using imap::Hint;
using imap::Uid;
using imap::UidRange;
using imap::UidSet;

TEST_CASE("uid set: neighbours and overlaps become one range", "[imap]") {
    UidSet set;
    for (const Uid uid : {7U, 1U, 3U, 2U, 4U}) set.add(uid);
    CHECK(set.text() == "1:4,7");
    set.add({5, 6});
    CHECK(set.ranges() == std::vector<UidRange>{{1, 7}});
    set.remove(4);
    CHECK(set.text() == "1:3,5:7");
    set.remove(9);
    CHECK(set.count() == 6);
    CHECK(set.contains(5));
    CHECK_FALSE(set.contains(4));
    set.add({20, 10});
    CHECK(set.text() == "1:3,5:7,10:20");
}

TEST_CASE("uid set: every UID there can be is one range and counts right", "[imap][hostile-30]") {
    UidSet set;
    set.add({1, 4294967295U});
    CHECK(set.count() == 4294967295U);
    CHECK(set.text() == "1:4294967295");
    set.remove(4294967295U);
    set.remove(1);
    CHECK(set.text() == "2:4294967294");
    set.add(4294967295U);
    CHECK(set.text() == "2:4294967295");
    set.add({0, 0});
    CHECK(set.text() == "2:4294967295");
}

TEST_CASE("uid set: agrees with a set of numbers", "[imap]") {
    const unsigned seed = 20261124;
    CAPTURE(seed);
    std::mt19937 engine(seed);
    const auto random = [&] { return static_cast<Uid>(engine()); };
    UidSet set;
    std::set<Uid> model;
    for (int step = 0; step < 5000; ++step) {
        const Uid uid = 1 + random() % 200;
        if (random() % 3 == 0) {
            set.remove(uid);
            model.erase(uid);
        } else {
            const Uid last = uid + random() % 5;
            set.add({uid, last});
            for (Uid each = uid; each <= last; ++each) model.insert(each);
        }
        REQUIRE(set.count() == model.size());
    }
    for (Uid uid = 0; uid < 220; ++uid) CHECK(set.contains(uid) == (model.count(uid) == 1));
}

TEST_CASE("uid set: of ranges in any order", "[imap]") {
    CHECK(UidSet::of({{9, 9}, {3, 1}, {2, 5}, {6, 6}}).text() == "1:6,9");
    CHECK(UidSet::of({}).empty());
}

TEST_CASE("uid set: batches off its front are bounded in UIDs and in text", "[imap]") {
    UidSet set = UidSet::of({{1, 5}, {8, 8}, {10, 4000000000U}});
    CHECK(set.take_front(3, 100).text() == "1:3");
    CHECK(set.take_front(3, 100).text() == "4:5,8");
    CHECK(set.take_front(64, 5).text() == "10:73");
    CHECK(set.take_front(64, 4).empty());
    CHECK(set.text() == "74:4000000000");
    UidSet scattered;
    for (Uid uid = 1000; uid < 9000; uid += 2) scattered.add(uid);
    std::uint64_t taken = 0;
    while (!scattered.empty()) {
        const UidSet batch = scattered.take_front(100000, 500);
        CHECK(batch.text().size() <= 500);
        REQUIRE_FALSE(batch.empty());
        taken += batch.count();
    }
    CHECK(taken == 4000);
}

TEST_CASE("internal date: what servers send", "[imap]") {
    CHECK(imap::read_internal_date("17-Jul-1996 02:44:25 -0700") == 837596665);
    CHECK(imap::read_internal_date(" 1-Jan-1970 00:00:00 +0000") == 0);
    CHECK(imap::read_internal_date("1-jan-1970 01:30:00 +0130") == 0);
    CHECK(imap::read_internal_date("29-Feb-2024 12:00:00 +0000") == 1709208000);
    for (const char* bad :
         {"", "-", "32-Jan-2026 00:00:00 +0000", "29-Feb-2023 00:00:00 +0000", "17-Jux-1996 02:44:25 -0700",
          "17-Jul-1996 25:44:25 -0700", "17-Jul-1996 02:44:25 0700", "17-Jul-1996T02:44:25 -0700",
          "17-Jul-1996 02:44:25 -07000", "117-Jul-1996 02:44:25 -0700"}) {
        CAPTURE(bad);
        CHECK_FALSE(imap::read_internal_date(bad));
    }
}

TEST_CASE("hint: what the texts of Exchange and Gmail mean", "[imap]") {
    const struct {
        const char* text;
        Hint::Kind kind;
    } table[] = {
        {"Session invalidated - AccessTokenExpired", Hint::Kind::token_expired},
        {"Session expired, please login again", Hint::Kind::token_expired},
        {"Request is throttled. Suggested Backoff Time: 92415 milliseconds", Hint::Kind::throttled},
        {"Success [THROTTLED]", Hint::Kind::throttled},
        {"Server Unavailable. 15", Hint::Kind::unavailable},
        {"User is authenticated but not connected.", Hint::Kind::not_connected},
        {"[ALERT] Too many simultaneous connections. (Failure)", Hint::Kind::too_many_connections},
        {"[OVERQUOTA] Account exceeded command or bandwidth limits.", Hint::Kind::over_quota},
        {"[THROTTLED] Account exceeded command or bandwidth limits.", Hint::Kind::over_quota},
        {"AUTHENTICATE failed.", Hint::Kind::none},
        {"", Hint::Kind::none},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        CHECK(imap::hint_of(row.text).kind == row.kind);
    }
    CHECK(imap::hint_of("BAD request is THROTTLED. suggested backoff time: 299961 milliseconds").back_off_ms == 299961);
    CHECK_FALSE(imap::hint_of("Request is throttled.").back_off_ms);
    CHECK_FALSE(imap::hint_of("Request is throttled. Suggested Backoff Time: 99999999999999999999999 ms").back_off_ms);
    const imap::Answer answer{imap::Status::no, "OVERQUOTA", "words"};
    CHECK(imap::hint_of(answer).kind == Hint::Kind::over_quota);
}
