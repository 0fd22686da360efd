#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/simulation/history.hpp"
#include "tests/simulation/scenario.hpp"

namespace {

using namespace simulation;

struct Wishes {
    std::uint64_t from = 1;
    std::uint64_t seeds = 100;
    std::optional<std::uint64_t> seed;
    bool verbose = false;
    bool twice = false;
    bool keep_going = false;
    std::optional<std::uint64_t> history;  // stride
    std::uint64_t first = 1;
    After after;
};

Scenario* running = nullptr;

/// A broken promise of the product ends the process: which life it was is told all the same.
void tell_of_abort(int) {
    if (running != nullptr) {
        for (const auto& line : running->stage().events.last()) fmt::print(stderr, "{}\n", line);
        fmt::print(stderr, "seed {}: aborted\n  replay: tools/dev simulate --seed {}\n", running->seed(),
                   running->seed());
    }
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
}

/// False: a violation, and everything about it is printed.
bool run_one(std::uint64_t seed, const Ground& ground, const Wishes& wishes, std::uint64_t& hash) {
    Scenario scenario(seed, ground);
    auto& stage = scenario.stage();
    running = &scenario;
    if (wishes.verbose) stage.events.print_all();
    const bool sound = scenario.run();
    running = nullptr;
    hash = stage.events.hash();
    if (!sound) {
        if (!wishes.verbose && !wishes.keep_going) {
            for (const auto& line : stage.events.last()) fmt::print(stderr, "{}\n", line);
        }
        fmt::print(stderr, "seed {}: {}\n  replay: tools/dev simulate --seed {}\n", seed, stage.events.violation(),
                   seed);
    }
    if (wishes.seed) {
        const auto virtual_time = stage.clock.now() - stage.begun_at();
        fmt::print("seed {} turns {} deaths {} virtual_s {} hash {:016x}\n", seed, stage.turns(), scenario.deaths(),
                   std::chrono::floor<std::chrono::seconds>(virtual_time).count(), hash);
    }
    return sound;
}

}  // namespace

int main(int count, char** words) {
    Wishes wishes;
    CLI::App app("Runs the daemon in a simulated world under virtual time, one life for each seed");
    app.add_option("--from", wishes.from, "The first seed")->capture_default_str();
    app.add_option("--seeds", wishes.seeds, "How many")->capture_default_str();
    app.add_option("--seed", wishes.seed, "This one only");
    app.add_flag("--verbose", wishes.verbose, "Print everything that happens");
    app.add_flag("--twice", wishes.twice, "Run each seed twice, and compare");
    app.add_flag("--keep-going", wishes.keep_going, "Go on after a violation; print one line for each");
    app.add_option("--history", wishes.history, "Instead: interrupt the scripted history at every N-th act");
    app.add_option("--first", wishes.first, "The first of these acts")->capture_default_str();
    app.add_option("--after", wishes.after.policy, "What becomes of mail on the server in that history")
        ->capture_default_str();
    app.add_flag("--pop3", wishes.after.pop3, "That history over POP3");
    app.add_flag("--no-move{false}", wishes.after.can_move, "The server cannot move");
    CLI11_PARSE(app, count, words);
    if (wishes.seed) {
        wishes.from = *wishes.seed;
        wishes.seeds = 1;
    }
    std::signal(SIGABRT, tell_of_abort);
    const Ground ground;
    if (wishes.history) return interrupt_everywhere(ground, wishes.after, wishes.first, *wishes.history) ? 0 : 1;
    const auto begun = std::chrono::steady_clock::now();
    std::uint64_t failed = 0;
    for (std::uint64_t seed = wishes.from; seed < wishes.from + wishes.seeds; ++seed) {
        std::uint64_t hash = 0;
        std::uint64_t again = 0;
        bool sound = run_one(seed, ground, wishes, hash);
        if (wishes.twice) {
            run_one(seed, ground, wishes, again);
            if (hash != again) {
                fmt::print(stderr, "seed {}: two runs differ\n", seed);
                sound = false;
            }
        }
        failed += sound ? 0 : 1;
        if (!sound && !wishes.keep_going) break;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    fmt::print("{} seeds from {}, {} failed, {:.1f} s, {:.1f} seeds/s\n", wishes.seeds, wishes.from, failed,
               took.count(), static_cast<double>(wishes.seeds) / took.count());
    return failed == 0 ? 0 : 1;
}
