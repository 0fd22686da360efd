#include <catch2/catch.hpp>

#include "engine/consumers/turns.hpp"

using namespace consumers;
using namespace std::chrono_literals;
using Rest = Turns::Rest;

namespace {
constexpr Monotonic start{1000s};
}

TEST_CASE("mailboxes take turns in the order they came, and one with more goes last", "[consumers]") {
    Turns turns;
    CHECK(turns.arrived(1));
    CHECK(turns.arrived(2));
    CHECK_FALSE(turns.arrived(1));
    CHECK(turns.take(start) == 1);
    CHECK_FALSE(turns.finished(1, Rest::more));
    CHECK(turns.take(start) == 2);
    CHECK(turns.finished(2, Rest::nothing));
    CHECK(turns.take(start) == 1);
    CHECK(turns.waiting() == 1);
    CHECK(turns.finished(1, Rest::nothing));
    CHECK_FALSE(turns.take(start));
    CHECK(turns.waiting() == 0);
}

TEST_CASE("what arrives while a mailbox is taken gives it another turn", "[consumers]") {
    Turns turns;
    turns.arrived(1);
    REQUIRE(turns.take(start) == 1);
    CHECK_FALSE(turns.arrived(1));
    CHECK_FALSE(turns.take(start));
    CHECK_FALSE(turns.finished(1, Rest::nothing));
    CHECK(turns.take(start) == 1);
    CHECK(turns.finished(1, Rest::nothing));
}

TEST_CASE("a failed mailbox pauses by itself, longer each time, and others go on", "[consumers]") {
    Turns turns;
    turns.arrived(1);
    turns.arrived(2);
    REQUIRE(turns.take(start) == 1);
    turns.failed(1, 7, "disk full", start, 1.0);
    CHECK(turns.reason(1) == "disk full");
    CHECK(turns.next_due() == start + 1s);
    CHECK_FALSE(turns.arrived(1));
    CHECK(turns.take(start) == 2);
    CHECK_FALSE(turns.take(start + 999ms));
    CHECK(turns.take(start + 1s) == 1);
    CHECK(turns.repeat_until(1) == 7);
    turns.failed(1, 5, "disk full", start + 1s, 1.0);
    CHECK(turns.next_due() == start + 3s);
    CHECK(turns.repeat_until(1) == 7);
    CHECK(turns.take(start + 3s) == 1);
    CHECK(turns.finished(1, Rest::nothing));
    CHECK(turns.reason(1).empty());
    turns.arrived(1);
    REQUIRE(turns.take(start + 4s) == 1);
    turns.failed(1, 8, "again", start + 4s, 1.0);
    CHECK(turns.next_due() == start + 5s);
}

TEST_CASE("a mailbox that is put back is first in line, and may be a repeat", "[consumers]") {
    Turns turns;
    turns.found(1, 256);
    turns.arrived(2);
    CHECK(turns.repeat_until(1) == 256);
    CHECK(turns.repeat_until(2) == 0);
    REQUIRE(turns.take(start) == 1);
    turns.put_back(1, 300);
    CHECK(turns.take(start) == 1);
    CHECK(turns.repeat_until(1) == 300);
}

TEST_CASE("pauses between attempts grow to five minutes", "[consumers]") {
    CHECK(hand_off_pause(1, 1.0) == 1s);
    CHECK(hand_off_pause(1, 0.0) == 500ms);
    CHECK(hand_off_pause(5, 1.0) == 16s);
    CHECK(hand_off_pause(9, 1.0) == 256s);
    CHECK(hand_off_pause(10, 1.0) == 300s);
    CHECK(hand_off_pause(4'000'000'000, 1.0) == 300s);
}
