/// The TOML file of the daemon's flags, and the quantities in it: what is accepted is within its limits, what is not is
/// refused in words.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "engine/config/flags.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace std::chrono_literals;

void check(const config::RunFlags& flags) {
    fuzz::expect(flags.threads <= 1024 && flags.max_sessions >= 1 && flags.max_sessions <= 1'000'000,
                 "threads and sessions are within their limits");
    fuzz::expect(flags.queue_capacity >= 2 && flags.fetch_batch >= 1, "the queue holds something");
    fuzz::expect(flags.memory_budget >= 1U << 20U && flags.memory_budget <= 1ULL << 40U, "memory has a limit");
    fuzz::expect(flags.commit_interval >= 0ms && flags.commit_interval <= 10s, "commits are not put off");
    fuzz::expect(flags.poll_interval >= 1s && flags.poll_interval <= 24h, "mailboxes are looked at");
    fuzz::expect(flags.idle_renew >= 1s && flags.idle_renew <= 29min, "IDLE is renewed");
    fuzz::expect(flags.settling_time >= 10ms && flags.settling_time <= 1h, "a doubt is looked into");
    fuzz::expect(flags.drain_grace >= 0ms && flags.drain_grace <= 10min, "draining ends");
}

void file(std::string_view text) {
    CLI::App app;
    auto& run = *app.add_subcommand("run", "");
    config::RunFlags flags;
    config::declare(run, flags);
    std::istringstream input{std::string(text)};
    try {
        run.parse_from_stream(input);
    } catch (const CLI::ParseError& refused) {
        fuzz::expect(*refused.what() != '\0', "a refusal has words");
        return;
    }
    check(flags);
}

void quantities(std::string_view text) {
    if (const auto duration = config::duration_of(text))
        fuzz::expect(*duration >= 0ms && *duration <= 1000h, "a duration has a limit");
    config::size_of(text);
    if (const auto endpoint = config::endpoint_of(text)) {
        const bool v6 = endpoint->address.find(':') != std::string::npos;
        const std::string printed =
            (v6 ? '[' + endpoint->address + ']' : endpoint->address) + ':' + std::to_string(endpoint->port);
        const auto again = config::endpoint_of(printed);
        fuzz::expect(again && again->address == endpoint->address && again->port == endpoint->port,
                     "an endpoint prints and reads to the same");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    file(input);
    quantities(input);
    return 0;
}
