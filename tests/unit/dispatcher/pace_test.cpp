#include "engine/dispatcher/pace.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <random>

using dispatcher::Day;
using dispatcher::Pace;
using namespace std::chrono_literals;

namespace {

const Monotonic start(1000h);

}  // namespace

TEST_CASE("a minute's allowance may leave at once, the rest in its pace", "[dispatcher]") {
    Pace pace(30);
    for (int mail = 0; mail < 30; ++mail) {
        CHECK(pace.next(start) == start);
        pace.count(start);
    }
    CHECK(pace.next(start) == start + 2s);
    pace.count(start + 2s);
    CHECK(pace.next(start + 2s) == start + 4s);
    CHECK(pace.next(start + 1h) == start + 1h);
}

TEST_CASE("whatever the pattern, no minute sees more than twice its allowance and no long time more than its part",
          "[dispatcher]") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto limit = static_cast<std::uint32_t>(1 + random() % 60);
        Pace pace(limit);
        Monotonic now = start;
        std::deque<Monotonic> left;
        std::size_t mails = 0;
        for (int step = 0; step < 3000; ++step) {
            now += std::chrono::milliseconds(random() % 3000);
            if (random() % 50 == 0) now += std::chrono::minutes(random() % 5);
            while (pace.next(now) == now && random() % 8 != 0) {
                pace.count(now);
                left.push_back(now);
                ++mails;
            }
            while (!left.empty() && left.front() <= now - 1min) left.pop_front();
            REQUIRE(left.size() <= 2 * limit);
        }
        const double minutes = std::chrono::duration<double, std::ratio<60>>(now - start).count();
        CHECK(static_cast<double>(mails) <= (minutes + 1) * limit + 1);
    }
}

TEST_CASE("a day's recipients are spent once, and come back by the hour, never earlier than a day", "[dispatcher]") {
    const store::Millis from(1000h + 59min);
    Day day;
    day.count(from, 60);
    day.count(from + 3h, 40);
    CHECK(day.recipients(from + 3h) == 100);
    CHECK(day.next(from + 4h, 1, 100) == store::Millis(1025h));
    CHECK(day.next(from + 4h, 60, 100) == store::Millis(1025h));
    CHECK(day.next(from + 4h, 61, 100) == store::Millis(1028h));
    CHECK(day.next(from + 24h - 1ms, 1, 100) > from + 24h - 1ms);
    CHECK(day.recipients(store::Millis(1025h)) == 40);
    CHECK(day.next(store::Millis(1025h), 60, 100) == store::Millis(1025h));
    // One mail to more than a day's recipients is not kept for ever: it goes when nothing else did.
    CHECK(Day().next(from, 50, 10) == from);
}

TEST_CASE("whoever was not reached is not counted in the end, and the store's text tells the same day",
          "[dispatcher]") {
    const store::Millis now(1000h + 10min);
    Day day;
    day.count(now, 60);
    day.count(now + 1h, 5);
    day.give_back(now, 20);
    CHECK(day.recipients(now + 1h) == 45);
    day.give_back(now, 1000);
    CHECK(day.recipients(now + 1h) == 5);
    day.give_back(now + 100h, 5);  // long forgotten
    CHECK(Day::decoded(day.encoded()).recipients(now + 1h) == 5);
    CHECK(Day::decoded(day.encoded()).encoded() == day.encoded());
    for (const auto* nonsense : {"", ":", "x:y", "-1:5", "1000:", "9999999999999999999999:1"})
        CHECK(Day::decoded(nonsense).recipients(now) == 0);
}

TEST_CASE("whatever the pattern, no 24 hours see more recipients than a day may", "[dispatcher]") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto limit = static_cast<std::uint32_t>(5 + random() % 200);
        Day day;
        store::Millis now(1000h);
        std::deque<std::pair<store::Millis, std::uint32_t>> left;
        std::uint64_t sum = 0;
        for (int step = 0; step < 3000; ++step) {
            now += std::chrono::milliseconds(random() % 3'000'000);
            const auto recipients = static_cast<std::uint32_t>(1 + random() % 5);
            const auto when = day.next(now, recipients, limit);
            if (when > now && random() % 10 == 0) now = when;
            if (day.next(now, recipients, limit) > now) continue;
            day.count(now, recipients);
            left.emplace_back(now, recipients);
            sum += recipients;
            for (; left.front().first <= now - 24h; left.pop_front()) sum -= left.front().second;
            REQUIRE(sum <= limit);
        }
    }
}
