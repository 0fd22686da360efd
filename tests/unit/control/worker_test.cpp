#include "engine/control/worker.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

using control::Worker;

namespace {

/// Asks for `work` and notes what came of it, for tests that look later.
awaitable<void> ask(Worker& worker, queue::Inbox& home, std::function<int()> work, std::vector<int>& answers) {
    const auto answer = co_await worker.run(home, std::move(work));
    answers.push_back(answer.value_or(-1));
}

}  // namespace

TEST_CASE("work is done on another thread, in order, and its results come home", "[control]") {
    asio::io_context context(1);
    const auto work = asio::make_work_guard(context);
    queue::Inbox home(context.get_executor());
    std::vector<int> answers;
    std::thread::id elsewhere;
    {
        Worker worker;
        for (int number = 0; number < 10; ++number) {
            std::function<int()> task = [number, &elsewhere] {
                elsewhere = std::this_thread::get_id();
                return number;
            };
            asio::co_spawn(context, ask(worker, home, std::move(task), answers), asio::detached);
        }
        while (answers.size() < 10) REQUIRE(context.run_one_for(std::chrono::seconds(20)) > 0);
    }
    CHECK(answers == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    const bool here = elsewhere == std::this_thread::get_id();
    CHECK_FALSE(here);
}

TEST_CASE("when too much waits, more is refused at once, and what was not begun is given up at the end", "[control]") {
    asio::io_context context(1);
    const auto work = asio::make_work_guard(context);
    queue::Inbox home(context.get_executor());
    std::vector<int> answers;
    std::promise<void> begun, go_on;
    auto going_on = go_on.get_future().share();
    std::atomic<int> done = 0;
    {
        Worker worker;
        std::function<int()> first = [&] {
            begun.set_value();
            going_on.wait();
            return ++done;
        };
        asio::co_spawn(context, ask(worker, home, std::move(first), answers), asio::detached);
        context.poll();
        begun.get_future().wait();
        for (std::size_t waiting = 0; waiting < Worker::waiting_max + 3; ++waiting) {
            std::function<int()> next = [&done] { return ++done; };
            asio::co_spawn(context, ask(worker, home, std::move(next), answers), asio::detached);
        }
        context.poll();
        CHECK(answers == std::vector<int>{-1, -1, -1});
        std::thread release([&] { go_on.set_value(); });
        release.join();
    }
    CHECK(done >= 1);
    context.restart();
    context.poll();
    const auto given_up = std::count(answers.begin(), answers.end(), -1) - 3;
    CHECK(answers.size() == 1 + Worker::waiting_max + 3);
    CHECK(done + given_up == 1 + static_cast<int>(Worker::waiting_max));
}
