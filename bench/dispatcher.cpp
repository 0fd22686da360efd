// The daemon hands queued mail over to a server that takes everything, in a process of its own; beside it clients that
// do nothing else, and, with --compare, others who send mail.

#include <signal.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "bench/bare_client.hpp"
#include "bench/benches.hpp"
#include "bench/queued_mails.hpp"
#include "bench/rig.hpp"
#include "bench/sending_peers.hpp"
#include "bench/sink.hpp"
#include "tests/support/directory.hpp"
#include "tests/support/process.hpp"
#include "tools/rohrpost-sim/provider.hpp"

namespace {

namespace json = boost::json;
using Moment = std::chrono::steady_clock::time_point;

struct Parameters {
    std::size_t messages = 20'000;
    std::size_t queued = 0;  // 0: as many as messages
    std::size_t sessions = 3;
    std::size_t bytes = 4096;
    std::uint32_t mailboxes = 64;
    std::uint32_t per_minute = 100'000;
    std::uint32_t threads = 1;
    bool own_credentials = false;
    bool compare = false;
    std::string log_level = "info";
    std::string directory;
};

double cpu_us_of(pid_t process) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
        throw std::runtime_error("the daemon's processor time cannot be read");
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

/// What the daemon is to serve: the provider's mailboxes, whose mail goes to the sink.
void write_document(const sim::Provider& provider, const bench::Sink& sink, const Parameters& parameters,
                    const std::filesystem::path& file) {
    auto document = json::parse(support::contents_of(provider.import_file()));
    document.at("providers").at(0).at("smtp").at("port") = sink.port();
    for (auto& mailbox : document.at("mailboxes").as_array()) {
        auto& submit = mailbox.at("submit").as_object();
        submit["connections"] = parameters.sessions;
        submit["recipients_per_day"] = 10'000'000;  // counted all the same
    }
    std::ofstream(file) << json::serialize(document);
}

void fill(const std::filesystem::path& data, const Parameters& parameters) {
    store::SystemDisk disk;
    store::OpenFailure failure;
    auto opened = store::open_store(disk, data, {}, &failure);
    if (!opened) throw std::runtime_error(failure.sentence);
    const auto queued = bench::queue_mails(*opened, parameters.queued, parameters.bytes, parameters.mailboxes);
    if (!queued) throw std::runtime_error("mail cannot be queued: " + queued.error().message());
}

store::Outbox::Counts left_in(const std::filesystem::path& data) {
    store::SystemDisk disk;
    store::OpenFailure failure;
    auto opened = store::open_store(disk, data, {}, &failure);
    if (!opened) throw std::runtime_error(failure.sentence);
    const auto counts = opened->store->outbox().counts();
    if (!counts) throw std::runtime_error(counts.error().message());
    return *counts;
}

double seconds(Moment from, Moment to) { return std::chrono::duration<double>(to - from).count(); }

/// What the daemon takes for each mail, from the time when its connections are there.
json::object rohrpost(const Parameters& parameters, const bench::Sink& sink, const std::filesystem::path& data) {
    const std::size_t warm = std::min<std::size_t>(parameters.messages / 10, 10 * parameters.sessions);
    const auto before = sink.seen();
    const auto started = std::chrono::steady_clock::now();
    support::Process daemon(
        {.command = {bench::program("rohrpost-bench"), "engine", "--data", data.string(), "--messages", "0", "--sends",
                     "--log-level", parameters.log_level, "--threads", std::to_string(parameters.threads)}});
    const auto first = sink.wait_for(before.mails + 1);
    const auto begun = sink.wait_for(before.mails + warm);
    const auto seen_first = sink.seen();
    const double cpu_first = cpu_us_of(daemon.pid());
    const auto ended = sink.wait_for(before.mails + parameters.messages);
    const double cpu_last = cpu_us_of(daemon.pid());
    const auto seen_last = sink.seen();
    daemon.signal(SIGTERM);
    const auto line = daemon.read_line(std::chrono::minutes(1));
    if (!line) throw std::runtime_error("the daemon does not end: " + daemon.errors());
    if (daemon.wait(std::chrono::minutes(1)) != 0) throw std::runtime_error("the daemon failed: " + daemon.errors());
    const auto told = json::parse(*line).as_object();
    const auto all = sink.seen();
    const auto left = left_in(data);
    const std::uint64_t taken = all.mails - before.mails;
    if (left.sending + left.in_doubt + left.held > 0 || left.queued + taken != parameters.queued)
        throw std::runtime_error("the sink has " + std::to_string(taken) + " of " + std::to_string(parameters.queued) +
                                 " mails, and " + std::to_string(left.queued) + " are queued");
    const auto mails = static_cast<double>(seen_last.mails - seen_first.mails);
    const auto each = [&](const char* name) { return told.at(name).to_number<double>() / static_cast<double>(taken); };
    return {{"cpu_us_per_message", (cpu_last - cpu_first) / mails},
            {"messages_per_second", mails / seconds(begun, ended)},
            {"syncs_per_message", each("disk_syncs")},
            {"messages_per_commit", 1 / each("groups")},
            {"disk_writes_per_message", each("disk_writes")},
            {"disk_written_bytes_per_message", each("disk_written_bytes")},
            {"round_trips_per_message", static_cast<double>(seen_last.round_trips - seen_first.round_trips) / mails},
            {"handshakes_per_message",
             static_cast<double>(all.handshakes - before.handshakes) / static_cast<double>(taken)},
            {"resumed_handshakes", all.resumed - before.resumed},
            {"seconds_to_first", seconds(started, first)},
            {"cpu_seconds_in_all", told.at("cpu_seconds")},
            {"peak_rss_mib", told.at("peak_rss_bytes").to_number<double>() / (1U << 20U)},
            {"taken", taken},
            {"left_queued", left.queued}};
}

json::object bare(bench::Bare how, const Parameters& parameters, const bench::Sink& sink) {
    const std::size_t messages = std::min<std::size_t>(parameters.messages, 20'000);
    const auto spent = bench::hand_over_bare(how, sink.port(), parameters.sessions, messages, parameters.bytes);
    return {{"cpu_us_per_message", spent.cpu_us_per_message}, {"messages_per_second", spent.messages_per_second}};
}

double cpu_of(const json::value& line) { return line.at("cpu_us_per_message").to_number<double>(); }

json::object measured(const Parameters& parameters) {
    const support::TemporaryDirectory home;
    sim::Options options;
    options.directory = home / "sim";
    options.population.mailboxes = parameters.mailboxes;
    options.shared_credential = !parameters.own_credentials;
    options.submit_per_minute = parameters.per_minute;
    sim::Provider provider(options);
    provider.start();
    const bench::Sink sink(provider.authority());
    write_document(provider, sink, parameters, home / "import.json");
    bench::import(home / "data", home / "import.json");
    fill(home / "data", parameters);

    json::object line{{"bench", "dispatcher"},
                      {"loop", "closed"},
                      {"bytes", parameters.bytes},
                      {"sessions", parameters.sessions},
                      {"mailboxes", parameters.mailboxes},
                      {"per_minute", parameters.per_minute},
                      {"queued", parameters.queued}};
    line["bare_bdat"] = bare(bench::Bare::chunks, parameters, sink);
    line["rohrpost"] = rohrpost(parameters, sink, home / "data");
    line["bare_bdat_again"] = bare(bench::Bare::chunks, parameters, sink);
    line["bare_data"] = bare(bench::Bare::pipelined_data, parameters, sink);
    const double floor = (cpu_of(line["bare_bdat"]) + cpu_of(line["bare_bdat_again"])) / 2;
    line["ratio_to_bare_bdat"] = cpu_of(line["rohrpost"]) / floor;
    line["ratio_to_bare_data"] = cpu_of(line["rohrpost"]) / cpu_of(line["bare_data"]);
    if (parameters.compare) line["peers"] = bench::send_as_others(provider, sink, parameters.bytes);
    return line;
}

}  // namespace

int bench_dispatcher(int argc, char** argv) {
    Parameters parameters;
    CLI::App app(
        "Queued mail through the daemon's dispatcher to a server that takes everything, over TLS with XOAUTH2 and with "
        "durable updates of the queue. Always beside it: clients that do nothing else.",
        "rohrpost-bench dispatcher");
    app.add_option("--messages", parameters.messages, "To deliver")->capture_default_str();
    app.add_option("--queued", parameters.queued, "At the start; 0: as many as are delivered")->capture_default_str();
    app.add_option("--sessions", parameters.sessions, "Connections of a log-in")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    app.add_option("--bytes", parameters.bytes, "Of each message")->capture_default_str();
    app.add_option("--mailboxes", parameters.mailboxes, "That send, in turn")->capture_default_str();
    app.add_option("--per-minute", parameters.per_minute, "Mails of a mailbox")->capture_default_str();
    app.add_option("--threads", parameters.threads, "Shards of the daemon")->capture_default_str();
    app.add_flag("--own-credentials", parameters.own_credentials, "Each mailbox logs in as itself, not all as one");
    app.add_option("--log-level", parameters.log_level, "Of the daemon, into memory")->capture_default_str();
    app.add_option("--directory", parameters.directory, "An empty one on the disk to measure")->required();
    app.add_flag("--compare", parameters.compare, "Others who send mail, too");
    CLI11_PARSE(app, argc, argv);
    parameters.queued = std::max(parameters.queued, parameters.messages);
    ::setenv("TMPDIR", parameters.directory.c_str(), 1);
    bench::raise_file_limit();
    try {
        std::cout << json::serialize(measured(parameters)) << std::endl;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 70;  // EX_SOFTWARE
    }
    return 0;
}
