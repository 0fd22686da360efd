#include <catch2/catch.hpp>

#include "engine/runtime/log.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/runtime/run_on.hpp"
#include "engine/runtime/scope.hpp"

namespace {

awaitable<void> wait_at(Parking& parking) { co_await parking.wait(); }

awaitable<void> fail() {
    throw std::runtime_error("broken");
    co_return;
}

awaitable<void> join(runtime::Scope& scope, bool& joined) {
    co_await scope.join();
    joined = true;
}

awaitable<int> answer_at(Parking& parking) {
    co_await parking.wait();
    co_return 42;
}

awaitable<void> ask(asio::any_io_executor shard, Parking& parking, int& answer, bool& went_on) {
    answer = co_await runtime::run_on(std::move(shard), answer_at(parking));
    Parking never;
    co_await never.wait();
    went_on = true;
}

}  // namespace

TEST_CASE("a scope joins when its last coroutine has ended, and reports what crashed", "[runtime]") {
    asio::io_context context;
    std::vector<std::string> reports;
    runtime::Scope scope(context.get_executor(), [&reports](const std::string& name, const std::string& what) {
        reports.push_back(name + ": " + what);
    });
    Parking first;
    Parking second;
    bool joined = false;
    scope.spawn("first", wait_at(first));
    scope.spawn("second", wait_at(second));
    scope.spawn("third", fail());
    asio::co_spawn(context, join(scope, joined), asio::detached);
    context.poll();
    CHECK(scope.running() == 2);
    CHECK(reports == std::vector<std::string>{"third: broken"});
    first.wake();
    context.restart();
    context.poll();
    CHECK_FALSE(joined);
    scope.cancel();
    context.restart();
    context.poll();
    CHECK(joined);
    CHECK(reports.size() == 1);
    scope.spawn("late", wait_at(first));
    CHECK(scope.running() == 0);
}

TEST_CASE("whoever is cancelled while another shard works for it waits for the end, and stops there", "[runtime]") {
    asio::io_context here;
    asio::io_context there;
    runtime::Scope scope(here.get_executor(), [](const std::string&, const std::string&) { CHECK(false); });
    Parking parking;
    int answer = 0;
    bool went_on = false;
    scope.spawn("asks", ask(there.get_executor(), parking, answer, went_on));
    here.poll();
    there.poll();
    CHECK(parking.occupied());
    scope.cancel();  // from outside both loops
    parking.wake();
    const auto poll = [](asio::io_context& loop) {
        loop.restart();
        loop.poll();
    };
    for (int turn = 0; turn < 4; ++turn) {
        poll(there);
        poll(here);
    }
    CHECK(answer == 42);
    CHECK(scope.running() == 0);
    CHECK_FALSE(went_on);
}

TEST_CASE("latency buckets hold what they say", "[runtime]") {
    runtime::Latency latency;
    for (int i = 0; i < 99; ++i) latency.add(std::chrono::microseconds(500));
    latency.add(std::chrono::seconds(2));
    const auto taken = latency.snapshot();
    CHECK(taken.count == 100);
    CHECK(taken.quantile(0.5) >= 0.0005);
    CHECK(taken.quantile(0.5) < 0.002);
    CHECK(taken.quantile(1.0) >= 2.0);
    CHECK(taken.sum_seconds == Approx(2.0495));
    CHECK(runtime::Latency().snapshot().quantile(0.99) == 0);
}

TEST_CASE("the exposition names every metric with its unit", "[runtime]") {
    runtime::Counters counters;
    counters.messages_stored = 3;
    const auto text =
        runtime::exposition(counters, {{"rohrpost_mailboxes", "Mailboxes by state.", 2, {{"state", "idle"}}},
                                       {"rohrpost_mailboxes", "Mailboxes by state.", 1, {{"state", "paused"}}}});
    CHECK(text.find("rohrpost_messages_stored_total 3") != std::string::npos);
    CHECK(text.find("rohrpost_mailboxes{state=\"idle\"} 2") != std::string::npos);
    CHECK(text.find("rohrpost_mailboxes{state=\"paused\"} 1") != std::string::npos);
    CHECK(text.find("rohrpost_arrival_to_durable_seconds_bucket") != std::string::npos);
    const auto alone = runtime::exposition(
        {{"rohrpost_console_log_ins_total", "Log-ins with the API token.", 2, {}, runtime::Metric::Type::counter}});
    CHECK(alone.find("# TYPE rohrpost_console_log_ins_total counter\nrohrpost_console_log_ins_total 2\n") !=
          std::string::npos);
}

TEST_CASE("values of a log line are quoted and escaped", "[runtime]") {
    CHECK(runtime::value("plain") == "plain");
    CHECK(runtime::value("two words") == "\"two words\"");
    CHECK(runtime::value("") == "\"\"");
    CHECK(runtime::value("a\r\nb=c") == "\"a\\x0d\\x0ab=c\"");
    CHECK(runtime::value("say \"hi\"") == "\"say \\\"hi\\\"\"");
}
