#include "queue/ring.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <numeric>
#include <thread>

TEST_CASE("a ring gives values back in order and refuses what does not fit", "[queue]") {
    queue::Ring<int> ring(5);
    CHECK(ring.capacity() == 8);
    for (int round = 0; round < 5; ++round) {
        for (int value = 0; value < 8; ++value) CHECK(ring.try_push(value));
        int refused = 99;
        CHECK_FALSE(ring.try_push(refused));
        CHECK(refused == 99);
        CHECK(ring.length() == 8);
        for (int expected = 0; expected < 8; ++expected) {
            int value = -1;
            REQUIRE(ring.try_pop(value));
            CHECK(value == expected);
        }
        int none = 7;
        CHECK_FALSE(ring.try_pop(none));
        CHECK(none == 7);
    }
}

TEST_CASE("batches of a ring take as much as there is and fits, in any split", "[queue]") {
    for (std::size_t pushed = 1; pushed <= 9; ++pushed) {
        for (std::size_t popped = 1; popped <= 9; ++popped) {
            CAPTURE(pushed, popped);
            queue::Ring<std::size_t> ring(8);
            std::vector<std::size_t> out;
            std::size_t next = 0;
            while (next < 100) {
                std::vector<std::size_t> in(pushed);
                std::iota(in.begin(), in.end(), next);
                const std::size_t room = ring.capacity() - ring.length();
                const std::size_t taken = ring.try_push_batch(in);
                CHECK(taken == std::min(room, pushed));
                next += taken;
                const std::size_t length = ring.length();
                CHECK(ring.try_pop_batch(out, popped) == std::min(length, popped));
            }
            while (ring.try_pop_batch(out, popped) > 0) continue;
            REQUIRE(out.size() == next);
            for (std::size_t at = 0; at < next; ++at) REQUIRE(out[at] == at);
        }
    }
}

TEST_CASE("a ring between many threads loses nothing, doubles nothing and keeps each pusher's order", "[queue]") {
    constexpr std::uint64_t pushers = 3, poppers = 3, each = 20'000;
    queue::Ring<std::uint64_t> ring(64);
    std::atomic<std::uint64_t> taken{0};
    std::vector<std::vector<std::uint64_t>> seen(poppers);
    std::vector<std::thread> threads;
    for (std::uint64_t who = 0; who < pushers; ++who) {
        threads.emplace_back([&ring, who] {
            std::vector<std::uint64_t> batch;
            for (std::uint64_t number = 0; number < each;) {
                if (who == 0) {
                    batch.resize(std::min<std::uint64_t>(7, each - number));
                    std::iota(batch.begin(), batch.end(), number);
                    const auto pushed = ring.try_push_batch(batch);
                    number += pushed;
                    if (pushed == 0) std::this_thread::yield();
                } else {
                    std::uint64_t value = who * each + number;
                    if (ring.try_push(value))
                        ++number;
                    else
                        std::this_thread::yield();
                }
            }
        });
    }
    for (std::uint64_t who = 0; who < poppers; ++who) {
        threads.emplace_back([&ring, &taken, &mine = seen[who], who] {
            while (taken < pushers * each) {
                const std::size_t before = mine.size();
                if (who == 0) {
                    std::uint64_t value = 0;
                    if (ring.try_pop(value)) mine.push_back(value);
                } else {
                    static_cast<void>(ring.try_pop_batch(mine, 5));
                }
                taken += mine.size() - before;
                if (mine.size() == before) std::this_thread::yield();
            }
        });
    }
    for (auto& thread : threads) thread.join();
    std::vector<int> times(pushers * each, 0);
    for (const auto& mine : seen) {
        std::vector<std::uint64_t> last(pushers, 0);
        for (const auto value : mine) {
            ++times[value];
            std::uint64_t& before = last[value / each];
            REQUIRE(value + 1 > before);
            before = value + 1;
        }
    }
    CHECK(std::all_of(times.begin(), times.end(), [](int count) { return count == 1; }));
}
