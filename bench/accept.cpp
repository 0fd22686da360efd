// Applications hand mail in over SMTP, each with one session and one mail at a time, to a listener in a process of its
// own; with --compare to Postfix as well.

#include <signal.h>

#include <CLI/CLI.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <iostream>

#include "bench/benches.hpp"
#include "bench/measure.hpp"
#include "bench/rig.hpp"
#include "bench/senders.hpp"
#include "queue/store/file.hpp"
#include "tests/support/postfix.hpp"
#include "tests/support/running.hpp"

namespace {

using asio::ip::tcp;
constexpr auto program_ends_within = std::chrono::seconds(30);

struct Parameters {
    std::vector<std::size_t> clients{10, 50};
    std::size_t messages = 50'000;
    std::size_t compared_messages = 5'000;
    std::size_t bytes = 4096;
    std::size_t mailboxes = 64;
    std::string directory;
    bool compare = false;
};

/// What all clients of a run share; they run on one thread.
struct Run {
    const Parameters& parameters;
    std::uint16_t port = 0;
    std::size_t messages = 0;
    std::string data{};  // as it follows 354
    std::size_t next = 0;
    std::vector<double> latencies_us{};
    std::string failed{};
};

/// Reads so many replies; the last one's first character.
awaitable<char> replies(tcp::socket& socket, std::string& unread, std::size_t count) {
    char last = 0;
    while (count > 0) {
        const auto bytes =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(unread), "\r\n", asio::use_awaitable);
        if (bytes >= 4 && unread[3] != '-') {
            --count;
            last = unread.front();
        }
        unread.erase(0, bytes);
    }
    co_return last;
}

awaitable<void> hand_in(Run& run) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::socket socket(executor);
    const tcp::endpoint there(asio::ip::address_v4::loopback(), run.port);
    co_await socket.async_connect(there, asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    std::string unread;
    const std::string hello = "EHLO bench.test\r\n", bye = "QUIT\r\n";
    co_await replies(socket, unread, 1);
    co_await asio::async_write(socket, asio::buffer(hello), asio::use_awaitable);
    co_await replies(socket, unread, 1);
    while (run.next < run.messages && run.failed.empty()) {
        const auto from = bench::address_of(run.next++ % run.parameters.mailboxes);
        const std::string flight = "MAIL FROM:<" + from + ">\r\nRCPT TO:<someone@rig.example>\r\nDATA\r\n";
        const auto begun = std::chrono::steady_clock::now();
        co_await asio::async_write(socket, asio::buffer(flight), asio::use_awaitable);
        const char begins = co_await replies(socket, unread, 3);
        if (begins != '3') run.failed = "DATA was refused";
        if (begins != '3') co_return;
        co_await asio::async_write(socket, asio::buffer(run.data), asio::use_awaitable);
        const char taken = co_await replies(socket, unread, 1);
        if (taken != '2') run.failed = "a mail was refused";
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begun;
        run.latencies_us.push_back(took.count());
    }
    co_await asio::async_write(socket, asio::buffer(bye), asio::use_awaitable);
    co_await replies(socket, unread, 1);
}

/// All clients to their end. Throws std::runtime_error when a mail was not taken.
boost::json::object ran(const Parameters& parameters, std::uint16_t port, std::size_t clients, std::size_t messages) {
    Run run{.parameters = parameters, .port = port, .messages = messages};
    run.data = "From: box@bench.test\r\nTo: someone@rig.example\r\nSubject: bench\r\n\r\n";
    while (run.data.size() < parameters.bytes) run.data += "A line of a mail, as long as lines of mails are.\r\n";
    run.data += ".\r\n";
    asio::io_context context(1);
    const bench::Stopwatch watch;
    for (std::size_t each = 0; each < clients; ++each) {
        asio::co_spawn(context, hand_in(run), [&run](std::exception_ptr failure) {
            if (!failure) return;
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& error) {
                run.failed = error.what();
            }
        });
    }
    context.run();
    if (!run.failed.empty()) throw std::runtime_error(run.failed);
    const double seconds = watch.seconds();
    return {{"clients", clients},
            {"messages_per_second", static_cast<double>(messages) / seconds},
            {"p50_us", bench::percentile(run.latencies_us, 0.5)},
            {"p99_us", bench::percentile(run.latencies_us, 0.99)},
            {"client_cpu_us_per_message", watch.cpu_seconds() * 1e6 / static_cast<double>(messages)}};
}

boost::json::object rohrpost(const Parameters& parameters, std::size_t clients) {
    const auto directory = std::filesystem::path(parameters.directory) / ("listener-" + std::to_string(clients));
    std::filesystem::create_directory(directory);
    support::Process process({.command = {bench::program("rohrpost-bench"), "listener", "--directory",
                                          directory.string(), "--mailboxes", std::to_string(parameters.mailboxes)}});
    const auto port = process.read_line(program_ends_within);
    if (!port) throw std::runtime_error("the listener does not start: " + process.errors());
    auto line = ran(parameters, static_cast<std::uint16_t>(std::stoi(*port)), clients, parameters.messages);
    process.signal(SIGTERM);
    const auto took = process.read_line(program_ends_within);
    if (!took) throw std::runtime_error("the listener does not end: " + process.errors());
    const auto listener = boost::json::parse(*took);
    for (const auto& [key, value] : listener.as_object()) line[key] = value;
    std::filesystem::remove_all(directory);
    return line;
}

/// Postfix keeps what it accepts on hold: durable, and nothing is delivered meanwhile.
boost::json::object postfix(const Parameters& parameters, std::size_t clients) {
    const sim::Authority authority("bench");
    support::Postfix::Wish wish;
    wish.authority = &authority;
    wish.settings = R"(smtpd_tls_security_level = none
smtpd_sasl_auth_enable = no
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_data_restrictions = check_client_access static:HOLD
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0)";
    const support::Postfix postfix(std::move(wish));
    (void)ran(parameters, postfix.port(), clients, 10 * clients);  // its processes are there
    const auto before = support::cpu_of_family(postfix.pid());
    auto line = ran(parameters, postfix.port(), clients, parameters.compared_messages);
    const auto used = support::cpu_of_family(postfix.pid()) - before;
    line["cpu_us_per_message"] = used.count() * 1e6 / static_cast<double>(parameters.compared_messages);
    return line;
}

/// One mail and one sync each, nothing else: what the disk gives whoever does not group.
double lone_syncs_per_second(const Parameters& parameters) {
    constexpr std::size_t rounds = 500;
    store::SystemDisk disk;
    const store::Path path = store::Path(parameters.directory) / "floor";
    auto file = disk.open(path, store::Disk::Mode::create);
    if (!file) throw std::runtime_error("a file of the floor: " + file.error().message());
    const std::string mail(parameters.bytes, 'x');
    const bench::Stopwatch watch;
    for (std::size_t at = 0; at < rounds; ++at) {
        const auto written = (*file)->write(mail, at * mail.size());
        const auto synced = (*file)->sync();
        if (!written || !synced) throw std::runtime_error("the floor cannot be written");
    }
    const double rate = static_cast<double>(rounds) / watch.seconds();
    (void)disk.remove(path);
    return rate;
}

}  // namespace

int bench_accept(int argc, char** argv) {
    Parameters parameters;
    CLI::App app("Mails over SMTP into the durable outbox. Closed loop: each client waits for its 250.",
                 "rohrpost-bench accept");
    app.add_option("--clients", parameters.clients, "At the same time; a run for each number")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--messages", parameters.messages, "Of each run")->capture_default_str();
    app.add_option("--compared-messages", parameters.compared_messages, "Of each run with Postfix")
        ->capture_default_str();
    app.add_option("--bytes", parameters.bytes, "Of each message")->capture_default_str();
    app.add_option("--mailboxes", parameters.mailboxes, "Senders, taken in turn")->capture_default_str();
    app.add_option("--directory", parameters.directory, "An empty one on the disk to measure")->required();
    app.add_flag("--compare", parameters.compare, "Postfix, too (tools/setup/servers unpacks it; root)");
    CLI11_PARSE(app, argc, argv);
    ::setenv("TMPDIR", parameters.directory.c_str(), 1);  // Postfix's spool is on that disk, too
    boost::json::object line{{"bench", "accept"}, {"loop", "closed"}, {"bytes", parameters.bytes}};
    try {
        line["lone_syncs_per_second"] = lone_syncs_per_second(parameters);
        boost::json::array ours, theirs;
        for (const auto clients : parameters.clients) {
            ours.push_back(rohrpost(parameters, clients));
            if (parameters.compare) theirs.push_back(postfix(parameters, clients));
        }
        line["rohrpost"] = std::move(ours);
        if (parameters.compare) line["postfix"] = std::move(theirs);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 70;  // EX_SOFTWARE
    }
    std::cout << boost::json::serialize(line) << '\n';
    return 0;
}
