// The daemon in a process of its own, so that nobody else's time and memory is measured with it.

#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>

#include "bench/benches.hpp"
#include "bench/counting_disk.hpp"
#include "bench/measure.hpp"
#include "engine/engine.hpp"
#include "engine/machine.hpp"
#include "engine/runtime/log.hpp"

namespace {

/// The machine, with what is asked of its disk counted.
class CountedMachine final : public Outside {
public:
    explicit CountedMachine(const config::RunFlags& flags) : machine_(flags) {}

    [[nodiscard]] const Clock& clock() const override { return machine_.clock(); }
    Random& random() override { return machine_.random(); }
    store::Disk& disk() override { return disk_; }
    std::unique_ptr<net::Dialer> make_dialer(asio::io_context& context, Timers& timers, Random& random) override {
        return machine_.make_dialer(context, timers, random);
    }
    std::unique_ptr<net::Resolver> make_resolver(asio::io_context& context, Timers& timers) override {
        return machine_.make_resolver(context, timers);
    }
    std::unique_ptr<consumers::Consumer> make_consumer(const config::Consumer& consumer,
                                                       runtime::Shard& shard) override {
        return machine_.make_consumer(consumer, shard);
    }
    [[nodiscard]] const bench::CountingDisk::Counts& counts() const noexcept { return disk_.counts(); }

private:
    Machine machine_;
    bench::CountingDisk disk_;
};

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    std::uint64_t resident = 0;
    statm >> pages >> resident;
    return resident * 4096;
}

/// Looks at the counters while the engine runs.
struct Watch {
    std::uint64_t messages = 0;  // until so many are stored
    std::uint64_t sessions = 0;  // until so many are idle; 0: not looked for
    double first_seconds = 0;
    double stored_seconds = 0;
    std::uint64_t idle_bytes = 0;
};

void watch(Engine& engine, Watch& watch, const std::atomic<bool>& over) {
    const bench::Stopwatch since_start;
    while (!over) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const auto stored = engine.counters().messages_stored.load();
        if (stored > 0 && watch.first_seconds == 0) watch.first_seconds = since_start.seconds();
        if (stored >= watch.messages && watch.stored_seconds == 0) watch.stored_seconds = since_start.seconds();
        if (watch.sessions == 0 || engine.counters().sessions_idle.load() < watch.sessions) continue;
        std::this_thread::sleep_for(std::chrono::seconds(12));  // the allocator gives back what logging in took
        watch.idle_bytes = resident_bytes();
        engine.stop();
        return;
    }
}

}  // namespace

int bench_engine(int argc, char** argv) {
    config::RunFlags flags;
    Watch seen;
    bool sends = false;
    std::string log_level = "warn";
    CLI::App app("Runs the daemon on a prepared data directory and says what it took", "rohrpost-bench engine");
    app.add_option("--data", flags.data, "Data directory")->required();
    app.add_option("--messages", seen.messages, "Messages that will be there")->required();
    app.add_option("--sessions", seen.sessions, "Ends once so many sessions are idle, instead of when all is done");
    app.add_option("--threads", flags.threads, "Shards");
    app.add_flag("--sends", sends, "It sends instead of fetching, until SIGTERM");
    app.add_option("--log-level", log_level, "On standard error");
    CLI11_PARSE(app, argc, argv);
    flags.key_file = flags.data + "/key";
    flags.console.port = 0;
    flags.roles.console = false;
    flags.roles.retriever = !sends;
    flags.exit_when_idle = seen.sessions == 0 && !sends;
    runtime::open_log(log_level, runtime::LogFormat::text);

    std::optional<bench::SyscallCounter> syscalls;  // which costs each of them a little
    if (!sends) syscalls.emplace();
    const bench::Stopwatch all;
    CountedMachine machine(flags);
    Engine engine(flags, machine);
    std::atomic<bool> over{false};
    std::thread watcher([&] { watch(engine, seen, over); });
    const int code = engine.run();
    over = true;
    watcher.join();

    const auto& counters = engine.counters();
    const auto durable = counters.arrival_to_durable.snapshot();
    const auto committed = engine.committed();
    const auto messages = static_cast<double>(counters.messages_stored.load());
    const auto bytes = static_cast<double>(counters.message_bytes_stored.load());
    const double span = seen.stored_seconds - seen.first_seconds;
    boost::json::object line{
        {"messages", counters.messages_stored.load()},
        {"delivered", counters.messages_delivered.load()},
        {"seconds_to_durable", seen.stored_seconds},
        {"messages_per_second", span > 0 ? messages / span : 0},
        {"seconds", all.seconds()},
        {"cpu_seconds", all.cpu_seconds()},
        {"cpu_us_per_message", messages > 0 ? all.cpu_seconds() * 1e6 / messages : 0},
        {"cpu_ns_per_byte", bytes > 0 ? all.cpu_seconds() * 1e9 / bytes : 0},
        {"arrival_to_durable_p50_us", durable.quantile(0.5) * 1e6},
        {"arrival_to_durable_p99_us", durable.quantile(0.99) * 1e6},
        {"fsyncs_per_message", messages > 0 ? static_cast<double>(committed.syncs) / messages : 0},
        {"syscalls_per_message", bench::per_message(syscalls ? syscalls->count() : std::nullopt, messages)},
        {"messages_per_commit", committed.groups > 0 ? messages / static_cast<double>(committed.groups) : 0},
        {"groups", committed.groups},
        {"disk_syncs", machine.counts().syncs.load()},
        {"disk_writes", machine.counts().writes.load()},
        {"disk_written_bytes", machine.counts().written_bytes.load()},
        {"peak_rss_bytes", bench::peak_rss_bytes()},
        {"exit_code", code}};
    if (seen.sessions > 0) line["idle_rss_bytes"] = seen.idle_bytes;
    std::cout << boost::json::serialize(line) << std::endl;
    return 0;
}
