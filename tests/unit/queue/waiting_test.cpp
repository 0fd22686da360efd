#include <catch2/catch.hpp>

#include <thread>

#include "queue/byte_budget.hpp"
#include "queue/inbox.hpp"
#include "queue/retry.hpp"
#include "queue/single_flight.hpp"

using namespace std::chrono_literals;

namespace {

class Counted final : public queue::Inbox::Note {
public:
    Counted(std::vector<int>& into, int value, int& alive) : into_(into), value_(value), alive_(alive) { ++alive_; }
    ~Counted() override { --alive_; }
    void deliver() noexcept override { into_.push_back(value_); }

private:
    std::vector<int>& into_;
    int value_;
    int& alive_;
};

awaitable<void> take_when_room(queue::ByteBudget& budget, std::size_t bytes, int name, std::vector<int>& order) {
    co_await budget.room();
    order.push_back(name);
    static_cast<void>(budget.take(bytes));
}

awaitable<Result<int>> fly(Parking& landing, int& flights) {
    const int number = ++flights;
    co_await landing.wait();
    co_return number;
}

awaitable<void> want(queue::SingleFlight<std::string, int>& flights, std::string key, Parking& landing, int& flown,
                     std::vector<int>& results) {
    auto start = [&landing, &flown] { return fly(landing, flown); };
    const auto result = co_await flights.share(std::move(key), start);
    results.push_back(*result);
}

void run_ready(asio::io_context& context) {
    context.restart();
    context.poll();
}

}  // namespace

TEST_CASE("an inbox delivers in order per sender, and ends what it did not deliver", "[queue]") {
    asio::io_context context;
    std::vector<int> seen;
    int alive = 0;
    {
        queue::Inbox inbox(context.get_executor());
        inbox.put(std::make_unique<Counted>(seen, 1, alive));
        std::vector<std::unique_ptr<queue::Inbox::Note>> notes;
        for (int value = 2; value <= 4; ++value) notes.push_back(std::make_unique<Counted>(seen, value, alive));
        inbox.put(std::move(notes));
        CHECK(context.poll() == 1);  // one wake-up for all
        CHECK(seen == std::vector<int>{1, 2, 3, 4});
        CHECK(alive == 0);
        inbox.put(std::make_unique<Counted>(seen, 5, alive));
        inbox.put(std::vector<std::unique_ptr<queue::Inbox::Note>>());
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
    CHECK(seen.size() == 4);
}

TEST_CASE("an inbox takes notes of several threads while its shard delivers", "[queue]") {
    constexpr int threads = 3, each = 3'000;
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    queue::Inbox inbox(context.get_executor());
    std::vector<int> seen;
    class Value final : public queue::Inbox::Note {
    public:
        Value(std::vector<int>& into, int value) : into_(into), value_(value) {}
        void deliver() noexcept override { into_.push_back(value_); }

    private:
        std::vector<int>& into_;
        int value_;
    };
    std::vector<std::thread> senders;
    for (int who = 0; who < threads; ++who) {
        senders.emplace_back([&inbox, &seen, who] {
            for (int at = 0; at < each; ++at) inbox.put(std::make_unique<Value>(seen, who * each + at));
        });
    }
    while (seen.size() < threads * each) context.run_one();
    for (auto& sender : senders) sender.join();
    std::vector<int> last(threads, -1);
    for (const int value : seen) {
        REQUIRE(value % each == last[static_cast<std::size_t>(value / each)] + 1);
        last[static_cast<std::size_t>(value / each)] = value % each;
    }
}

TEST_CASE("who waits for room in a byte budget is served in order, and a cancelled one is passed over", "[queue]") {
    asio::io_context context;
    asio::cancellation_signal stop;
    queue::ByteBudget budget(100);
    std::vector<int> order;
    CHECK(budget.take(99));
    CHECK_FALSE(budget.take(51));
    asio::co_spawn(context, take_when_room(budget, 60, 1, order),
                   asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
    asio::co_spawn(context, take_when_room(budget, 60, 2, order), asio::detached);
    asio::co_spawn(context, take_when_room(budget, 60, 3, order), asio::detached);
    run_ready(context);
    CHECK(order.empty());
    budget.give_back(49);
    run_ready(context);
    CHECK(order.empty());  // 101 of 100
    stop.emit(asio::cancellation_type::terminal);
    run_ready(context);
    budget.give_back(51);
    run_ready(context);
    CHECK(order == std::vector<int>{2});
    CHECK(budget.used_bytes() == 110);
    budget.give_back(60);
    run_ready(context);
    CHECK(order == std::vector<int>{2, 3});
    budget.give_back(110);
    CHECK(budget.used_bytes() == 0);
}

TEST_CASE("a back-off doubles up to its most, and only proven survival resets it", "[queue]") {
    queue::BackOff back_off{.first = 1s, .most = 30s, .survival = 60s};
    const std::vector<queue::BackOff::Span> expected{1s, 2s, 4s, 8s, 16s, 30s, 30s};
    for (const auto wait : expected) CHECK(back_off.failed(0s, 1.0) == wait);
    CHECK(back_off.failed(59s, 1.0) == 30s);
    CHECK(back_off.failed(60s, 1.0) == 1s);
    CHECK(back_off.failed(0s, 0.0) == 1s);  // half of two seconds
    CHECK(back_off.failed(0s, 0.5) == 3s);  // three quarters of four
    CHECK(back_off.failed(0s, 7.0) == 8s);  // no fraction reaches beyond
    back_off.failures = 0xffffffff - 1;
    CHECK(back_off.failed(0s, 1.0) == 30s);
}

TEST_CASE("all who want the same at one time share one flight, and the next one starts another", "[queue]") {
    asio::io_context context;
    queue::SingleFlight<std::string, int> flights(context.get_executor());
    Parking landing, elsewhere;
    int flown = 0, flown_elsewhere = 0;
    std::vector<int> results, cancelled, other;
    asio::cancellation_signal stop;
    asio::co_spawn(context, want(flights, "a", landing, flown, cancelled),
                   asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
    for (int caller = 0; caller < 3; ++caller) {
        asio::co_spawn(context, want(flights, "a", landing, flown, results), asio::detached);
    }
    asio::co_spawn(context, want(flights, "b", elsewhere, flown_elsewhere, other), asio::detached);
    run_ready(context);
    CHECK(flights.flying() == 2);
    stop.emit(asio::cancellation_type::terminal);  // the caller that started it goes; the flight goes on
    run_ready(context);
    landing.wake();
    run_ready(context);
    CHECK(flown == 1);
    CHECK(results == std::vector<int>{1, 1, 1});
    CHECK(cancelled.empty());
    CHECK(other.empty());
    asio::co_spawn(context, want(flights, "a", landing, flown, results), asio::detached);
    run_ready(context);
    landing.wake();
    elsewhere.wake();
    run_ready(context);
    CHECK(results.back() == 2);
    CHECK(other == std::vector<int>{1});
    CHECK(flights.flying() == 0);
}
