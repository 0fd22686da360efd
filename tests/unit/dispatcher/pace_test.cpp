#include "engine/dispatcher/pace.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <random>

using dispatcher::Pace;
using dispatcher::PaceLimits;
using namespace std::chrono_literals;

namespace {

const Monotonic start(1000h);

}  // namespace

TEST_CASE("a minute's allowance may leave at once, the rest in its pace", "[dispatcher]") {
    Pace pace({.mails_per_minute = 30, .recipients_per_day = 0});
    for (int mail = 0; mail < 30; ++mail) {
        CHECK(pace.next(start, 1) == start);
        pace.count(start, 1);
    }
    CHECK(pace.next(start, 1) == start + 2s);
    pace.count(start + 2s, 1);
    CHECK(pace.next(start + 2s, 1) == start + 4s);
    CHECK(pace.next(start + 1h, 1) == start + 1h);
}

TEST_CASE("whatever the pattern, no minute sees more than twice its allowance and no long time more than its part",
          "[dispatcher]") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto limit = static_cast<std::uint32_t>(1 + random() % 60);
        Pace pace({.mails_per_minute = limit, .recipients_per_day = 0});
        Monotonic now = start;
        std::deque<Monotonic> left;
        std::size_t mails = 0;
        for (int step = 0; step < 3000; ++step) {
            now += std::chrono::milliseconds(random() % 3000);
            if (random() % 50 == 0) now += std::chrono::minutes(random() % 5);
            while (pace.next(now, 1) == now && random() % 8 != 0) {
                pace.count(now, 1);
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

TEST_CASE("a day's recipients are spent once, and come back hour by hour", "[dispatcher]") {
    Pace pace({.mails_per_minute = 0, .recipients_per_day = 100});
    pace.count(start, 60);
    pace.count(start + 3h, 40);
    CHECK(pace.recipients_today(start + 3h) == 100);
    CHECK(pace.next(start + 4h, 1) == start + 24h);
    CHECK(pace.next(start + 4h, 60) == start + 24h);
    CHECK(pace.next(start + 4h, 61) == start + 27h);
    CHECK(pace.recipients_today(start + 24h) == 40);
    CHECK(pace.next(start + 24h, 60) == start + 24h);
    // One mail to more than a day's recipients is not kept for ever: it goes when nothing else did.
    CHECK(Pace({.mails_per_minute = 0, .recipients_per_day = 10}).next(start, 50) == start);
}
