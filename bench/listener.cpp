// The SMTP listener with the store behind it, in a process of its own: nobody else's time is measured with it.

#include <signal.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <future>
#include <iostream>

#include "bench/benches.hpp"
#include "bench/counting_disk.hpp"
#include "bench/measure.hpp"
#include "bench/senders.hpp"
#include "engine/inlets/smtp_inlet.hpp"
#include "engine/runtime/log.hpp"
#include "protocols/net/system_dialer.hpp"
#include "queue/store/open.hpp"

namespace {

awaitable<inlets::SmtpInlet::Admission> admit(std::string, Secret) { co_return inlets::SmtpInlet::Admission::welcome; }

std::unique_ptr<net::Dialer> make_dialer(asio::io_context& context, Timers& timers, Random&) {
    net::SystemDialer::Options options;
    return std::make_unique<net::SystemDialer>(context, timers, std::move(options));
}

awaitable<void> drain(inlets::SmtpInlet& inlet) {
    inlet.drain();
    co_await inlet.join();
}

}  // namespace

int bench_listener(int argc, char** argv) {
    std::string directory;
    std::size_t mailboxes = 64;
    CLI::App app(
        "Listens for mail on a store of its own. Prints its port; at SIGTERM, what the mail from then on has taken",
        "rohrpost-bench listener");
    app.add_option("--directory", directory, "An empty one on the disk to measure")->required();
    app.add_option("--mailboxes", mailboxes, "That mail may be sent from")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // of the threads as well
    runtime::open_log("warn", runtime::LogFormat::text);

    bench::CountingDisk disk;
    store::OpenFailure failure;
    auto opened = store::open_store(disk, store::Path(directory) / "data", {}, &failure);
    if (!opened) {
        std::cerr << failure.sentence << '\n';
        return 74;  // EX_IOERR
    }
    const auto made = bench::make_senders(*opened->store, mailboxes);
    if (!made) {
        std::cerr << made.error().message() << '\n';
        return 74;
    }
    SystemClock clock;
    SystemRandom random;
    inlets::Numbers numbers;
    const bench::SyscallCounter syscalls;
    store::Committer committer(std::move(opened->store), std::move(opened->bodies), clock, {});
    committer.start();
    runtime::Shard shard("smtp", clock, random, 256U << 20U, make_dialer);
    inlets::SmtpInlet::Uses uses{.shard = shard,
                                 .committer = committer,
                                 .senders = std::make_shared<submission::Senders>(),
                                 .random = random,
                                 .queued = [](store::MailboxNumber, store::Millis) {},
                                 .admit = admit,
                                 .numbers = numbers};
    inlets::SmtpInlet::Options options;
    options.address = "127.0.0.1";
    options.session.name = "localhost";
    auto inlet = inlets::SmtpInlet::listen(std::move(uses), std::move(options));
    if (!inlet) {
        std::cerr << inlet.error().message() << '\n';
        return 69;  // EX_UNAVAILABLE
    }
    const auto syncs = disk.counts().syncs.load();
    const bench::Stopwatch watch;
    shard.start();
    std::cout << (*inlet)->port() << std::endl;
    int got = 0;
    ::sigwait(&ends, &got);
    std::promise<void> drained;
    asio::co_spawn(shard.executor(), drain(**inlet), [&drained](const std::exception_ptr&) { drained.set_value(); });
    drained.get_future().wait();
    const double cpu = watch.cpu_seconds();
    const auto calls = syscalls.count();
    const auto messages = static_cast<double>(numbers.accepted.load());
    const auto stats = committer.stats();
    shard.stop();
    committer.stop();
    std::cout << boost::json::serialize(boost::json::object{
                     {"messages", numbers.accepted.load()},
                     {"cpu_us_per_message", cpu * 1e6 / messages},
                     {"fsyncs_per_message", static_cast<double>(disk.counts().syncs - syncs) / messages},
                     {"messages_per_group", messages / static_cast<double>(stats.groups)},
                     {"syscalls_per_message", bench::per_message(calls, messages)},
                     {"peak_rss_bytes", bench::peak_rss_bytes()}})
              << std::endl;
    return 0;
}
