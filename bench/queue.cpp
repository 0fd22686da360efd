#include <concurrentqueue/concurrentqueue.h>
#include <oneapi/tbb/concurrent_queue.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <boost/lockfree/queue.hpp>
#include <deque>
#include <iostream>
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
        popped.clear();
        if (queue.try_pop_batch(popped, 1) == 0) return false;
        value = popped.front();
        return true;
    }
    queue::WorkQueue<std::uint64_t> queue;
    std::vector<std::uint64_t> popped;  // of the one thread that pops
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

struct Parameters {
    std::size_t operations = 5'000'000;
    std::size_t round_trips = 300'000;
    std::size_t capacity = 4096;
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
        // On a busy machine the other thread may not be running: spinning on would only keep it waiting.
        for (std::size_t tries = 1; !queue.pop(value); ++tries) {
            if (tries % spins_max == 0) std::this_thread::yield();
        }
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

template <class Queue>
boost::json::object measured(const Parameters& parameters) {
    const double push_pop = push_pop_ns<Queue>(parameters);
    return {{"push_pop_ns", push_pop}, {"ping_pong_ns", ping_pong_ns<Queue>(parameters)}};
}

}  // namespace

int bench_queue(int argc, char** argv) {
    Parameters parameters;
    CLI::App app("The work queue beside other queues: push and pop on one thread, ping-pong between two.");
    app.add_option("--operations", parameters.operations, "pushes and pops on one thread")->capture_default_str();
    app.add_option("--round-trips", parameters.round_trips, "between two threads")->capture_default_str();
    app.add_option("--capacity", parameters.capacity, "of each queue")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    boost::json::object line{{"bench", "queue"}};
    line["ring"] = measured<Ring>(parameters);
    line["work_queue"] = measured<WorkQueue>(parameters);
    line["mutex_deque"] = measured<MutexDeque>(parameters);
    line["boost_lockfree"] = measured<BoostLockfree>(parameters);
    line["moodycamel"] = measured<Moodycamel>(parameters);
    line["tbb_bounded"] = measured<TbbBounded>(parameters);
    line["operations"] = parameters.operations;
    line["round_trips"] = parameters.round_trips;
    line["capacity"] = parameters.capacity;
    line["peak_rss_bytes"] = bench::peak_rss_bytes();
    std::cout << boost::json::serialize(line) << '\n';
    return 0;
}
