#include <catch2/catch.hpp>

#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <thread>

#include "queue/work_queue.hpp"

// tests/model proves the algorithm; this looks for what its translation into C++ got wrong.
namespace {

using Numbers = queue::WorkQueue<std::uint64_t>;
constexpr std::uint64_t each = 200;

/// A coroutine that is cancelled now and then and begun again where it stopped.
struct Actor {
    asio::cancellation_signal stop;
    bool done = false;
};

struct Pusher : Actor {
    std::uint64_t next = 0, end = 0;
};

struct Popper : Actor {
    std::vector<std::uint64_t> popped;
};

awaitable<void> act(Pusher& pusher, Numbers& numbers) {
    while (pusher.next < pusher.end) {
        co_await numbers.push(pusher.next);  // a cancelled push has not pushed: the number comes again
        ++pusher.next;
    }
    pusher.done = true;
}

awaitable<void> act(Popper& popper, Numbers& numbers) {
    for (std::size_t count_max = 1;; count_max = count_max % 5 + 1) {
        const std::size_t count = co_await numbers.pop_batch(popper.popped, count_max);
        if (count == 0) break;
    }
    popper.done = true;
}

/// One event loop with its actors, and one who cancels them at random.
template <class A>
class Shard {
public:
    Shard(Numbers& numbers, unsigned seed) : numbers_(numbers), dice_(seed) {}
    A& add() { return actors_.emplace_back(); }
    void run() {
        for (auto& actor : actors_) begin(actor);
        asio::post(context_, [this] { cancel_some(); });
        context_.run();
    }
    std::deque<A>& actors() { return actors_; }

private:
    void begin(A& actor) {
        asio::co_spawn(context_, act(actor, numbers_),
                       asio::bind_cancellation_slot(actor.stop.slot(), [this, &actor](std::exception_ptr) {
                           if (!actor.done) begin(actor);
                       }));
    }
    void cancel_some() {
        bool alive = false;
        for (auto& actor : actors_) {
            alive = alive || !actor.done;
            if (!actor.done && dice_() % 16 == 0) actor.stop.emit(asio::cancellation_type::terminal);
        }
        if (dice_() % 4 == 0) std::this_thread::yield();
        if (alive) asio::post(context_, [this] { cancel_some(); });
    }

    asio::io_context context_;
    Numbers& numbers_;
    std::minstd_rand dice_;
    std::deque<A> actors_;
};

void push_on_thread(Numbers& numbers, std::uint64_t first) {
    for (std::uint64_t number = first; number < first + each;) {
        std::uint64_t value = number;
        if (numbers.try_push(value)) {
            ++number;
        } else {
            std::this_thread::yield();
        }
    }
}

void pop_on_thread(Numbers& numbers, std::vector<std::uint64_t>& popped, unsigned seed) {
    std::minstd_rand dice(seed);
    for (;;) {
        const bool closed = numbers.closed();
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(dice() % 200);
        if (numbers.wait_batch(popped, 1 + dice() % 4, until) == 0 && closed) return;
    }
}

void check_all_once(const std::vector<std::vector<std::uint64_t>>& seen, std::uint64_t pushers) {
    std::vector<int> times(pushers * each, 0);
    for (const auto& popped : seen) {
        std::vector<std::uint64_t> next(pushers, 0);
        for (const auto value : popped) {
            ++times[value];
            REQUIRE(value >= next[value / each]);
            next[value / each] = value + 1;
        }
    }
    for (const int count : times) REQUIRE(count == 1);
}

void round_of(unsigned seed) {
    CAPTURE(seed);
    std::minstd_rand dice(seed);
    Numbers numbers(std::size_t{2} << (dice() % 4));
    constexpr std::uint64_t shards = 2;
    const std::uint64_t coroutines = 1 + dice() % 4, poppers = 1 + dice() % 3;
    std::deque<Shard<Pusher>> pushing;
    Shard<Popper> popping(numbers, seed + 7);
    for (std::uint64_t at = 0; at < poppers; ++at) popping.add();
    for (std::uint64_t shard = 0; shard < shards; ++shard) {
        auto& home = pushing.emplace_back(numbers, seed + static_cast<unsigned>(shard));
        for (std::uint64_t at = 0; at < coroutines; ++at) {
            auto& pusher = home.add();
            pusher.next = (shard * coroutines + at) * each;
            pusher.end = pusher.next + each;
        }
    }
    std::vector<std::vector<std::uint64_t>> seen(1);
    std::thread popping_thread([&] { pop_on_thread(numbers, seen[0], seed + 9); });
    std::thread popping_shard([&] { popping.run(); });
    std::vector<std::thread> threads;
    for (auto& shard : pushing) threads.emplace_back([&shard] { shard.run(); });
    threads.emplace_back([&] { push_on_thread(numbers, shards * coroutines * each); });
    for (auto& thread : threads) thread.join();
    numbers.close();
    popping_thread.join();
    popping_shard.join();
    for (auto& popper : popping.actors()) seen.push_back(std::move(popper.popped));
    check_all_once(seen, shards * coroutines + 1);
}

/// Holds up whoever moves it into a slot: claimed, but not there yet.
struct Slow {
    int number = 0;
    std::atomic<bool>* reached = nullptr;
    std::atomic<bool>* may_go_on = nullptr;

    Slow() = default;
    explicit Slow(int value) : number(value) {}
    Slow(Slow&& from) noexcept : number(from.number) {}
    Slow& operator=(Slow&& from) noexcept {
        number = from.number;
        if (from.reached != nullptr) {
            from.reached->store(true);
            from.reached->notify_all();
            from.may_go_on->wait(false);
        }
        return *this;
    }
};

awaitable<void> pop_one(queue::WorkQueue<Slow>& values, std::vector<Slow>& into) {
    const std::size_t count = co_await values.pop_batch(into, 1);
    CHECK(count == 1);
}

}  // namespace

TEST_CASE("a value that overtook a slower pusher's still finds a popper when that one is through", "[queue]") {
    asio::io_context context;
    queue::WorkQueue<Slow> values(4);
    std::vector<Slow> first, second;
    asio::co_spawn(context, pop_one(values, first), asio::detached);
    asio::co_spawn(context, pop_one(values, second), asio::detached);
    context.poll();
    std::atomic<bool> reached = false, may_go_on = false;
    std::thread slow([&] {
        Slow value(1);
        value.reached = &reached;
        value.may_go_on = &may_go_on;
        CHECK(values.try_push(value));
    });
    reached.wait(false);
    Slow fast(2);
    CHECK(values.try_push(fast));  // wakes one, who finds the slow one's slot empty and parks again
    context.restart();
    context.poll();
    CHECK(first.empty());
    CHECK(second.empty());
    may_go_on.store(true);
    may_go_on.notify_all();
    slow.join();  // wakes the other one, which takes a single value
    context.restart();
    context.poll();
    REQUIRE(first.size() == 1);
    REQUIRE(second.size() == 1);
    CHECK(first[0].number + second[0].number == 3);
}

TEST_CASE("threads and coroutines, cancelled at random, lose and double nothing until the queue is closed", "[queue]") {
    const char* const given = std::getenv("ROHRPOST_STRESS_SEED");
    const unsigned seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
    WARN("ROHRPOST_STRESS_SEED=" << seed);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    unsigned rounds = 0;
    do {
        round_of(seed + rounds * 101);
        ++rounds;
    } while (std::chrono::steady_clock::now() < until);
    CHECK(rounds > 0);
}
