#include "queue/work_queue.hpp"

#include <catch2/catch.hpp>

#include <thread>

namespace {

using Numbers = queue::WorkQueue<std::uint64_t>;

awaitable<void> push_all(Numbers& numbers, std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t number = first; number < first + count; ++number) co_await numbers.push(number);
}

awaitable<void> pop_all(Numbers& numbers, std::vector<std::uint64_t>& into) {
    for (;;) {
        const std::size_t count = co_await numbers.pop_batch(into, 16);
        if (count == 0) co_return;
    }
}

}  // namespace

TEST_CASE("a push to a full queue waits until somebody pops", "[queue]") {
    asio::io_context context;
    Numbers numbers(2);
    bool ended = false;
    asio::co_spawn(context, push_all(numbers, 0, 3), [&ended](std::exception_ptr) { ended = true; });
    context.poll();
    CHECK_FALSE(ended);
    std::vector<std::uint64_t> popped;
    CHECK(numbers.try_pop_batch(popped, 1) == 1);
    context.restart();
    context.poll();
    CHECK(ended);
    CHECK(numbers.try_pop_batch(popped, 9) == 2);
    CHECK(popped == std::vector<std::uint64_t>{0, 1, 2});
}

TEST_CASE("a wake-up that reached a cancelled pusher goes to the next one", "[queue]") {
    asio::io_context context;
    asio::cancellation_signal stop;
    Numbers numbers(2);
    bool first_ended = false, second_ended = false;
    asio::co_spawn(context, push_all(numbers, 0, 2), asio::detached);
    asio::co_spawn(context, push_all(numbers, 10, 1),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { first_ended = true; }));
    asio::co_spawn(context, push_all(numbers, 20, 1), [&](std::exception_ptr) { second_ended = true; });
    context.poll();
    std::vector<std::uint64_t> popped;
    stop.emit(asio::cancellation_type::terminal);  // the first waiter will have gone
    CHECK(numbers.try_pop_batch(popped, 1) == 1);  // before it hears this
    context.restart();
    context.poll();
    CHECK(first_ended);
    CHECK(second_ended);
    CHECK(numbers.try_pop_batch(popped, 9) == 2);
    CHECK(popped == std::vector<std::uint64_t>{0, 1, 20});
}

TEST_CASE("a thread that waits for values goes on when its time is over or the queue is closed", "[queue]") {
    Numbers numbers(4);
    std::vector<std::uint64_t> popped;
    const auto begun = std::chrono::steady_clock::now();
    CHECK(numbers.wait_batch(popped, 4, begun + std::chrono::milliseconds(5)) == 0);
    CHECK(std::chrono::steady_clock::now() - begun >= std::chrono::milliseconds(5));
    std::thread closer([&numbers] { numbers.close(); });
    CHECK(numbers.wait_batch(popped, 4) == 0);
    closer.join();
    std::uint64_t late = 5;
    CHECK(numbers.try_push(late));
    CHECK(numbers.wait_batch(popped, 4) == 1);
}

TEST_CASE("pushers and poppers of all kinds pass every value once through a narrow queue", "[queue]") {
    constexpr std::uint64_t shards = 2, coroutines = 4, each = 2'000;
    Numbers numbers(4);
    std::vector<asio::io_context> contexts(shards + 1);  // outlive all threads, which post to them
    std::vector<std::thread> pushing;
    for (std::uint64_t shard = 0; shard < shards; ++shard) {
        pushing.emplace_back([&numbers, &context = contexts[shard], shard] {
            for (std::uint64_t at = 0; at < coroutines; ++at) {
                asio::co_spawn(context, push_all(numbers, (shard * coroutines + at) * each, each), asio::detached);
            }
            context.run();
        });
    }
    std::vector<std::uint64_t> by_thread, by_coroutine;
    std::thread thread([&] {
        while (numbers.wait_batch(by_thread, 3) > 0) continue;
    });
    std::thread shard([&] {
        asio::io_context& context = contexts.back();
        asio::co_spawn(context, pop_all(numbers, by_coroutine), asio::detached);
        context.run();
    });
    for (auto& pusher : pushing) pusher.join();
    numbers.close();
    thread.join();
    shard.join();
    std::vector<std::uint64_t> all = by_thread;
    all.insert(all.end(), by_coroutine.begin(), by_coroutine.end());
    std::sort(all.begin(), all.end());
    REQUIRE(all.size() == shards * coroutines * each);
    for (std::uint64_t at = 0; at < all.size(); ++at) REQUIRE(all[at] == at);
}
