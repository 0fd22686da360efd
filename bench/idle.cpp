#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "bench/benches.hpp"
#include "bench/rig.hpp"
#include "tests/support/directory.hpp"
#include "tests/support/process.hpp"

namespace {

/// The daemon's resident memory with so many idle sessions.
std::uint64_t resident_with(std::uint64_t sessions, std::uint32_t threads) {
    const support::TemporaryDirectory home;
    support::Process::Start start;
    start.command = {bench::program("rohrpost-sim"), "--dir", (home / "sim").string(), "--mailboxes",
                     std::to_string(sessions),       "--messages", "1"};
    support::Process provider(std::move(start));
    if (!provider.read_line(std::chrono::seconds(60))) throw std::runtime_error(provider.errors());
    const auto data = home / "data";
    bench::import(data, home / "sim/import.json");
    const auto line = bench::run_json({bench::program("rohrpost-bench"), "engine", "--data", data.string(), "--messages",
                                       std::to_string(sessions), "--sessions", std::to_string(sessions), "--threads",
                                       std::to_string(threads)});
    return line.at("idle_rss_bytes").to_number<std::uint64_t>();
}

}  // namespace

int bench_idle(int argc, char** argv) {
    std::uint64_t few = 1000;
    std::uint64_t many = 5000;
    std::uint32_t threads = 2;
    CLI::App app("Resident memory of an idle XOAUTH2 IMAP session over TLS: the slope between two counts",
                 "rohrpost-bench idle");
    app.add_option("--few", few, "Sessions of the first run")->capture_default_str();
    app.add_option("--many", many, "Sessions of the second run")->capture_default_str();
    app.add_option("--threads", threads, "Shards of the daemon")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    bench::raise_file_limit();
    const auto with_few = resident_with(few, threads);
    const auto with_many = resident_with(many, threads);
    const double slope = static_cast<double>(with_many - with_few) / static_cast<double>(many - few);
    const boost::json::object line{{"bench", "idle"},         {"few", few},
                                   {"many", many},            {"rss_few_bytes", with_few},
                                   {"rss_many_bytes", with_many}, {"bytes_per_session", slope},
                                   {"kib_per_session", slope / 1024}};
    std::cout << boost::json::serialize(line) << std::endl;
    return 0;
}
