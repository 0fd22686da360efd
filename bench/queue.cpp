#include <concurrentqueue/concurrentqueue.h>
#include <oneapi/tbb/concurrent_queue.h>

#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <boost/lockfree/queue.hpp>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "bench/benches.hpp"
#include "bench/measure.hpp"
#include "queue/work_queue.hpp"

namespace {

// Each queue as try_push and try_pop of a number.
struct Ring {
    explicit Ring(std::size_t capacity) : queue(capacity) {}
    bool push(std::uint64_t value) { return queue.try_push(value); }
    bool pop(std::uint64_t& value) { return queue.try_pop(value); }
    queue::Ring<std::uint64_t> queue;
};

struct WorkQueue {
    explicit WorkQueue(std::size_t capacity) : queue(capacity) {}
    bool push(std::uint64_t value) { return queue.try_push(value); }
    bool pop(std::uint64_t& value) {
        static thread_local std::vector<std::uint64_t> popped;
        popped.clear();
        if (queue.try_pop_batch(popped, 1) == 0) return false;
        value = popped.front();
        return true;
    }
    queue::WorkQueue<std::uint64_t> queue;
};

struct MutexDeque {
    explicit MutexDeque(std::size_t) {}
    bool push(std::uint64_t value) {
        const std::lock_guard lock(mutex);
        queue.push_back(value);
        return true;
    }
    bool pop(std::uint64_t& value) {
        const std::lock_guard lock(mutex);
        if (queue.empty()) return false;
        value = queue.front();
        queue.pop_front();
        return true;
    }
    std::mutex mutex;
    std::deque<std::uint64_t> queue;
};

struct BoostLockfree {
    explicit BoostLockfree(std::size_t capacity) : queue(capacity) {}
    bool push(std::uint64_t value) { return queue.bounded_push(value); }
    bool pop(std::uint64_t& value) { return queue.pop(value); }
    boost::lockfree::queue<std::uint64_t> queue;
};

struct Moodycamel {
    explicit Moodycamel(std::size_t capacity) : queue(capacity) {}
    bool push(std::uint64_t value) { return queue.enqueue(value); }
    bool pop(std::uint64_t& value) { return queue.try_dequeue(value); }
    moodycamel::ConcurrentQueue<std::uint64_t> queue;
};

struct TbbBounded {
    explicit TbbBounded(std::size_t capacity) { queue.set_capacity(static_cast<std::ptrdiff_t>(capacity)); }
    bool push(std::uint64_t value) { return queue.try_push(value); }
    bool pop(std::uint64_t& value) { return queue.try_pop(value); }
    tbb::concurrent_bounded_queue<std::uint64_t> queue;
};

constexpr std::size_t spins_max = 2000;
constexpr std::size_t batch_max = 64;

struct Parameters {
    std::size_t operations = 1'000'000;
    std::size_t round_trips = 30'000;
    std::size_t values = 300'000;
    std::size_t capacity = 4096;
    std::size_t rounds = 5;
    std::size_t idle_ms = 1000;
};

/// On a busy machine the other thread may not be running: spinning on would only keep it waiting.
class Patience {
public:
    void wait() {
        if (++tries_ % spins_max == 0) std::this_thread::yield();
    }

private:
    std::size_t tries_ = 0;
};

/// One thread: nanoseconds for a push and a pop together.
template <class Queue>
double push_pop_ns(const Parameters& parameters) {
    Queue queue(parameters.capacity);
    std::uint64_t sum = 0;
    const bench::Stopwatch watch;
    for (std::uint64_t number = 0; number < parameters.operations; ++number) {
        std::uint64_t value = 0;
        if (queue.push(number) && queue.pop(value)) sum += value;
    }
    const double nanoseconds = watch.seconds() * 1e9 / static_cast<double>(parameters.operations);
    const std::uint64_t expected = parameters.operations * (parameters.operations - 1) / 2;
    return sum == expected ? nanoseconds : -1;
}

/// Two threads and two queues: nanoseconds for one way.
template <class Queue>
double ping_pong_ns(const Parameters& parameters) {
    Queue there(parameters.capacity), back(parameters.capacity);
    const auto receive = [](Queue& queue) {
        std::uint64_t value = 0;
        for (Patience patience; !queue.pop(value);) patience.wait();
        return value;
    };
    std::thread other([&] {
        for (std::size_t trip = 0; trip < parameters.round_trips; ++trip) back.push(receive(there));
    });
    const bench::Stopwatch watch;
    for (std::size_t trip = 0; trip < parameters.round_trips; ++trip) {
        there.push(trip);
        receive(back);
    }
    const double nanoseconds = watch.seconds() * 1e9 / static_cast<double>(2 * parameters.round_trips);
    other.join();
    return nanoseconds;
}

/// Two threads push, two pop: nanoseconds of the wall for each value.
template <class Queue>
double two_two_ns(const Parameters& parameters) {
    Queue queue(parameters.capacity);
    const std::size_t each = parameters.values / 2;
    std::atomic<std::uint64_t> sum{0};
    std::vector<std::thread> threads;
    const bench::Stopwatch watch;
    for (int at = 0; at < 2; ++at) {
        threads.emplace_back([&queue, each] {
            Patience patience;
            for (std::uint64_t number = 0; number < each; ++number) {
                while (!queue.push(number)) patience.wait();
            }
        });
        threads.emplace_back([&queue, &sum, each] {
            Patience patience;
            std::uint64_t mine = 0;
            for (std::size_t popped = 0; popped < each; ++popped) {
                std::uint64_t value = 0;
                while (!queue.pop(value)) patience.wait();
                mine += value;
            }
            sum += mine;
        });
    }
    for (auto& thread : threads) thread.join();
    const double nanoseconds = watch.seconds() * 1e9 / static_cast<double>(2 * each);
    return sum == each * (each - 1) ? nanoseconds : -1;
}

using Waiting = queue::WorkQueue<std::uint64_t>;

awaitable<void> push_values(Waiting& values, std::size_t count) {
    for (std::uint64_t number = 0; number < count; ++number) {
        std::uint64_t value = number;
        if (values.try_push(value)) continue;  // as the committer's callers do: a coroutine only where one must wait
        co_await values.push(value);
    }
    values.close();
}

awaitable<void> pop_values(Waiting& values, std::uint64_t& sum) {
    std::vector<std::uint64_t> batch;
    for (;;) {
        batch.clear();
        const std::size_t count = co_await values.pop_batch(batch, batch_max);
        if (count == 0) co_return;
        for (const auto value : batch) sum += value;
    }
}

/// A coroutine that pushes one by one and another one that pops in batches, both parking where they have to.
double waiting_ns(const Parameters& parameters, bool two_shards) {
    Waiting values(parameters.capacity);
    std::vector<asio::io_context> shards(2);  // outlive both threads
    std::uint64_t sum = 0;
    const std::size_t count = parameters.values * 4;
    asio::co_spawn(shards[0], push_values(values, count), asio::detached);
    asio::co_spawn(shards[two_shards ? 1 : 0], pop_values(values, sum), asio::detached);
    const bench::Stopwatch watch;
    std::thread other([&] { shards[1].run(); });
    shards[0].run();
    other.join();
    const double nanoseconds = watch.seconds() * 1e9 / static_cast<double>(count);
    return sum == count * (count - 1) / 2 ? nanoseconds : -1;
}

/// The same with the bare ring: on two threads both ends spin, on one they take turns.
double spinning_ns(const Parameters& parameters, bool two_threads) {
    queue::Ring<std::uint64_t> ring(parameters.capacity);
    const std::size_t count = parameters.values * 4;
    std::uint64_t sum = 0, pushed = 0;
    std::size_t popped = 0;
    std::vector<std::uint64_t> batch;
    const auto push_some = [&] {
        while (pushed < count) {
            std::uint64_t value = pushed;
            if (!ring.try_push(value)) return;
            ++pushed;
        }
    };
    const auto pop_some = [&] {
        for (;;) {
            batch.clear();
            const std::size_t taken = ring.try_pop_batch(batch, batch_max);
            if (taken == 0) return;
            for (const auto value : batch) sum += value;
            popped += taken;
        }
    };
    const bench::Stopwatch watch;
    if (two_threads) {
        std::thread other([&] {
            for (Patience patience; popped < count; patience.wait()) pop_some();
        });
        for (Patience patience; pushed < count; patience.wait()) push_some();
        other.join();
    } else {
        while (popped < count) {
            push_some();
            pop_some();
        }
    }
    const double nanoseconds = watch.seconds() * 1e9 / static_cast<double>(count);
    return sum == count * (count - 1) / 2 ? nanoseconds : -1;
}

double process_cpu_us() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

/// Processor time of the whole process while a coroutine and a thread wait for values that do not come.
double idle_cpu_us(const Parameters& parameters) {
    Waiting for_coroutine(16), for_thread(16);
    asio::io_context shard;
    std::uint64_t sum = 0;
    asio::co_spawn(shard, pop_values(for_coroutine, sum), asio::detached);
    shard.poll();  // it is parked
    shard.restart();
    std::thread running([&] {
        const auto kept = asio::make_work_guard(shard);
        shard.run();
    });
    std::thread blocking([&] {
        std::vector<std::uint64_t> batch;
        static_cast<void>(for_thread.wait_batch(batch, batch_max));
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the threads have started
    const double before = process_cpu_us();
    std::this_thread::sleep_for(std::chrono::milliseconds(parameters.idle_ms));
    const double used = process_cpu_us() - before;
    for_coroutine.close();
    for_thread.close();
    blocking.join();
    shard.stop();
    running.join();
    return used;
}

/// The rounds of all queues take turns, so that a busy minute meets all of them; the middle one counts.
class Cases {
public:
    explicit Cases(const Parameters& parameters) : parameters_(parameters) {}

    template <class Queue>
    void measure(const std::string& name) {
        auto& samples = samples_[name];
        samples["push_pop_ns"].push_back(push_pop_ns<Queue>(parameters_));
        samples["ping_pong_ns"].push_back(ping_pong_ns<Queue>(parameters_));
        samples["two_two_ns"].push_back(two_two_ns<Queue>(parameters_));
    }
    void measure_waiting() {
        samples_["waiting"]["one_shard_ns"].push_back(waiting_ns(parameters_, false));
        samples_["waiting"]["one_shard_ring_ns"].push_back(spinning_ns(parameters_, false));
        samples_["waiting"]["two_shards_ns"].push_back(waiting_ns(parameters_, true));
        samples_["waiting"]["two_shards_ring_ns"].push_back(spinning_ns(parameters_, true));
    }
    double of(const std::string& name, const std::string& what) { return bench::percentile(samples_[name][what], 0.5); }
    boost::json::object all() {
        boost::json::object object;
        for (const auto& [name, figures] : samples_) {
            boost::json::object one;
            for (const auto& [what, values] : figures) one[what] = of(name, what);
            object[name] = std::move(one);
        }
        return object;
    }
    /// How many times the best peer's figure is the ring's.
    double ahead(const std::string& what) {
        const double best = std::min({of("boost_lockfree", what), of("moodycamel", what), of("tbb_bounded", what)});
        return best / of("ring", what);
    }

private:
    const Parameters parameters_;
    std::map<std::string, std::map<std::string, std::vector<double>>> samples_;
};

}  // namespace

int bench_queue(int argc, char** argv) {
    Parameters parameters;
    CLI::App app(
        "The work queue beside other queues: push and pop on one thread, ping-pong between two, two pushing and two "
        "popping; then coroutines that wait beside a ring that spins, and what idle ones cost.");
    app.add_option("--operations", parameters.operations, "pushes and pops on one thread, each round")
        ->capture_default_str();
    app.add_option("--round-trips", parameters.round_trips, "between two threads, each round")->capture_default_str();
    app.add_option("--values", parameters.values, "through two and two threads, each round")->capture_default_str();
    app.add_option("--capacity", parameters.capacity, "of each queue")->capture_default_str();
    app.add_option("--rounds", parameters.rounds, "the middle one counts")->capture_default_str();
    app.add_option("--idle-ms", parameters.idle_ms, "how long to watch the idle ones")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    Cases cases(parameters);
    for (std::size_t round = 0; round < parameters.rounds; ++round) {
        cases.measure<Ring>("ring");
        cases.measure<WorkQueue>("work_queue");
        cases.measure<MutexDeque>("mutex_deque");
        cases.measure<BoostLockfree>("boost_lockfree");
        cases.measure<Moodycamel>("moodycamel");
        cases.measure<TbbBounded>("tbb_bounded");
        cases.measure_waiting();
    }
    boost::json::object line{{"bench", "queue"}};
    for (auto& [name, figures] : cases.all()) line[name] = figures;
    boost::json::object ahead;
    for (const char* what : {"push_pop_ns", "ping_pong_ns", "two_two_ns"}) ahead[what] = cases.ahead(what);
    line["best_peer_over_ring"] = std::move(ahead);
    line["waiting_over_ring"] = {
        {"one_shard", cases.of("waiting", "one_shard_ns") / cases.of("waiting", "one_shard_ring_ns")},
        {"two_shards", cases.of("waiting", "two_shards_ns") / cases.of("waiting", "two_shards_ring_ns")}};
    line["idle_cpu_us"] = idle_cpu_us(parameters);
    line["idle_ms"] = parameters.idle_ms;
    line["operations"] = parameters.operations;
    line["round_trips"] = parameters.round_trips;
    line["values"] = parameters.values;
    line["capacity"] = parameters.capacity;
    line["rounds"] = parameters.rounds;
    line["peak_rss_bytes"] = bench::peak_rss_bytes();
    std::cout << boost::json::serialize(line) << '\n';
    return 0;
}
