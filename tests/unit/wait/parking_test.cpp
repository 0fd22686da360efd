#include <catch2/catch.hpp>

#include "protocols/wait/parking.hpp"
#include "protocols/wait/timers.hpp"
#include "tests/support/hand_clock.hpp"

namespace {

using support::HandClock;

awaitable<void> wait_twice(Parking& parking, int& waits) {
    co_await parking.wait();
    ++waits;
    co_await parking.wait();
    ++waits;
}

awaitable<void> nap(Timers& timers, std::chrono::seconds span, int& woken) {
    co_await timers.sleep_for(span);
    ++woken;
}

}  // namespace

TEST_CASE("a parking keeps one wake-up for the next wait") {
    asio::io_context context;
    Parking parking;
    int waits = 0;
    parking.wake();
    parking.wake();
    asio::co_spawn(context, wait_twice(parking, waits), asio::detached);
    context.poll();
    CHECK(waits == 1);
    parking.wake();
    CHECK(waits == 1);
    context.restart();
    context.poll();
    CHECK(waits == 2);
}

TEST_CASE("a cancelled wait at a parking ends") {
    asio::io_context context;
    asio::cancellation_signal stop;
    Parking parking;
    int waits = 0;
    bool ended = false;
    asio::co_spawn(context, wait_twice(parking, waits),
                   asio::bind_cancellation_slot(stop.slot(), [&ended](std::exception_ptr) { ended = true; }));
    context.poll();
    stop.emit(asio::cancellation_type::terminal);
    context.restart();
    context.poll();
    CHECK(ended);
    CHECK(waits == 0);
    parking.wake();
}

TEST_CASE("timers ring in order of time, and a moved one at its new time") {
    HandClock clock;
    Timers timers(clock);
    std::vector<int> rang;
    struct Bell {
        std::vector<int>* rang;
        int name;
        static void ring(void* owner) {
            auto* bell = static_cast<Bell*>(owner);
            bell->rang->push_back(bell->name);
        }
    };
    std::vector<std::unique_ptr<Bell>> bells;
    std::vector<std::unique_ptr<Timer>> armed;
    for (int i = 0; i < 100; ++i) {
        bells.push_back(std::make_unique<Bell>(Bell{&rang, i}));
        armed.push_back(std::make_unique<Timer>(timers, Bell::ring, bells.back().get()));
        armed.back()->arm(clock.now() + std::chrono::seconds((i * 37) % 100));
    }
    armed[0]->arm(clock.now() + std::chrono::seconds(200));
    armed[1]->disarm();
    timers.advance(clock.now() + std::chrono::seconds(99));
    CHECK(rang.size() == 98);
    CHECK(std::is_sorted(rang.begin(), rang.end(), [](int a, int b) { return (a * 37) % 100 < (b * 37) % 100; }));
    CHECK(timers.earliest() == clock.now() + std::chrono::seconds(200));
}

TEST_CASE("a coroutine sleeps until its time") {
    asio::io_context context;
    HandClock clock;
    Timers timers(clock);
    int woken = 0;
    asio::co_spawn(context, nap(timers, std::chrono::seconds(5), woken), asio::detached);
    context.poll();
    timers.advance(clock.now() + std::chrono::seconds(4));
    context.restart();
    context.poll();
    CHECK(woken == 0);
    timers.advance(clock.now() + std::chrono::seconds(5));
    context.restart();
    context.poll();
    CHECK(woken == 1);
}
