#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "bench/benches.hpp"
#include "bench/counting_disk.hpp"
#include "bench/measure.hpp"
#include "bench/senders.hpp"
#include "engine/dispatcher/sending_work.hpp"
#include "engine/submission/acceptance.hpp"
#include "protocols/base/clock.hpp"
#include "queue/store/open.hpp"

namespace {

struct Parameters {
    std::size_t clients = 50;
    std::size_t sessions = 20;
    std::size_t messages = 100'000;
    std::size_t bytes = 4096;
    std::size_t mailboxes = 64;
    std::string directory;
};

store::Millis now_of(const Clock& clock) {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(clock.wall());
}

/// What all coroutines share; they run on one shard.
struct Run {
    const Parameters& parameters;
    const Clock& clock;
    SystemRandom random{};
    submission::Senders senders{};
    dispatcher::Allowances allowances{};
    store::Committer* committer = nullptr;
    queue::Inbox* home = nullptr;
    std::string body{};
    std::size_t next = 0;
    std::size_t settled = 0;
    std::vector<double> latencies_us{};
    error_code failed{};
};

/// An application: hands mail over, one after the other.
awaitable<void> hand_in(Run& run) {
    while (run.next < run.parameters.messages && !run.failed) {
        const std::size_t number = run.next++;
        submission::Order order;
        order.message = "From: " + bench::address_of(number % run.parameters.mailboxes) +
                        "\r\nTo: someone@elsewhere.test\r\nSubject: bench\r\n\r\n" + run.body;
        order.recipients = {"someone@elsewhere.test"};
        const auto begun = std::chrono::steady_clock::now();
        auto drafted = submission::drafted(std::move(order), run.random, run.clock.wall());
        submission::AcceptWork work{&run.senders, std::move(std::get<submission::Draft>(drafted))};
        auto accepted = co_await run.committer->run(*run.home, std::move(work));
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begun;
        run.latencies_us.push_back(took.count());
        if (!accepted) run.failed = accepted.error();
    }
}

/// A session as a desk runs it, with a server that takes everything at once: what the queue costs a mail.
awaitable<void> send(Run& run, store::MailboxNumber first) {
    const auto mailboxes = static_cast<store::MailboxNumber>(run.parameters.mailboxes);
    std::shared_ptr<dispatcher::Owed> owed;
    store::MailboxNumber at = first % mailboxes;
    for (store::MailboxNumber empty = 0; empty <= mailboxes && !run.failed;) {
        dispatcher::SendingWork exchange;
        exchange.now = now_of(run.clock);
        exchange.owed = std::exchange(owed, nullptr);
        exchange.take = 1 + at;
        exchange.allowances = &run.allowances;
        exchange.spender = {exchange.take, 10'000'000, {"bench", {0, 0}}};
        auto got = co_await run.committer->run(*run.home, std::move(exchange));
        if (!got) run.failed = got.error();
        if (!got) co_return;
        if (!got->submission) {
            at = (at + 1) % mailboxes;
            ++empty;
            continue;
        }
        empty = 0;
        owed = std::make_shared<dispatcher::Owed>();
        owed->submission = std::move(*got->submission);
        owed->ticket = *submission::ticket_from(owed->submission.envelope);
        dispatcher::Attempt attempt;
        attempt.asked = {0};
        attempt.answer.sender.code = 250;
        attempt.answer.recipients.resize(1);
        attempt.answer.recipients.front().code = 250;
        attempt.answer.body.code = 250;
        attempt.server = "smtp.bench.test:587";
        owed->settlement =
            dispatcher::settled(owed->submission, *submission::progress_from({}, 1), attempt, now_of(run.clock), {});
        ++run.settled;
    }
}

int failed(std::string_view what, error_code reason) {
    std::cerr << what << ": " << reason.message() << '\n';
    return 74;  // EX_IOERR
}

/// A store that is open, with a committer and a shard for whoever works on it.
class Phase {
public:
    Phase(bench::CountingDisk& disk, Run& run, store::OpenedStore opened)
        : disk_(disk),
          run_(run),
          lock_(std::move(opened.lock)),
          committer_(std::move(opened.store), std::move(opened.bodies), clock_, {}) {
        run_.committer = &committer_;
        run_.home = &home_;
        committer_.start();
    }
    ~Phase() { committer_.stop(); }

    /// All of them to their end; what it took, for each message.
    boost::json::object ran(std::vector<awaitable<void>> coroutines, const std::size_t& messages) {
        auto work = asio::make_work_guard(shard_);
        std::size_t running = coroutines.size();
        const auto syncs = disk_.counts().syncs.load();
        const auto groups = committer_.stats().groups;
        const bench::Stopwatch watch;
        for (auto& coroutine : coroutines) {
            asio::co_spawn(shard_, std::move(coroutine), [&](std::exception_ptr) {
                if (--running == 0) work.reset();
            });
        }
        shard_.run();
        const double seconds = watch.seconds(), cpu = watch.cpu_seconds();
        const auto count = static_cast<double>(messages);
        return {{"messages_per_second", count / seconds},
                {"cpu_us_per_message", cpu * 1e6 / count},
                {"fsyncs_per_message", static_cast<double>(disk_.counts().syncs - syncs) / count},
                {"messages_per_group", count / static_cast<double>(committer_.stats().groups - groups)}};
    }

private:
    bench::CountingDisk& disk_;
    Run& run_;
    SystemClock clock_;
    std::unique_ptr<store::File> lock_;
    store::Committer committer_;
    asio::io_context shard_{1};
    queue::Inbox home_{shard_.get_executor()};
};

}  // namespace

int bench_outbox(int argc, char** argv) {
    Parameters parameters;
    CLI::App app(
        "Submissions: prepared and durably accepted, then, after a restart with all of them queued, taken and settled "
        "by "
        "sessions whose server takes everything. Closed loops; no network.",
        "rohrpost-bench outbox");
    app.add_option("--clients", parameters.clients, "Applications that each wait for their mail")
        ->capture_default_str();
    app.add_option("--sessions", parameters.sessions, "That send")->capture_default_str();
    app.add_option("--messages", parameters.messages, "In all")->capture_default_str();
    app.add_option("--bytes", parameters.bytes, "Of each message's body")->capture_default_str();
    app.add_option("--mailboxes", parameters.mailboxes, "Taken in turn")->capture_default_str();
    app.add_option("--directory", parameters.directory, "An empty one on the disk to measure")->required();
    CLI11_PARSE(app, argc, argv);

    bench::CountingDisk disk;
    const store::Path data = store::Path(parameters.directory) / "data";
    store::OpenFailure failure;
    auto opened = store::open_store(disk, data, {}, &failure);
    if (!opened) return failed(failure.sentence, failure.reason);
    const auto made = bench::make_senders(*opened->store, parameters.mailboxes);
    if (!made) return failed("mailboxes", made.error());

    const SystemClock clock;
    Run run{parameters, clock};
    while (run.body.size() < parameters.bytes) run.body += "A line of a mail, as long as lines of mails are.\r\n";
    boost::json::object accepted, delivered;
    {
        Phase phase(disk, run, std::move(*opened));
        std::vector<awaitable<void>> clients;
        for (std::size_t each = 0; each < parameters.clients; ++each) clients.push_back(hand_in(run));
        accepted = phase.ran(std::move(clients), parameters.messages);
    }
    if (run.failed) return failed("a message", run.failed);
    accepted["p50_us"] = bench::percentile(run.latencies_us, 0.5);
    accepted["p99_us"] = bench::percentile(run.latencies_us, 0.99);
    const auto rss_queued = bench::peak_rss_bytes();

    const bench::Stopwatch restart;
    opened = store::open_store(disk, data, {}, &failure);
    if (!opened) return failed(failure.sentence, failure.reason);
    const double restart_seconds = restart.seconds();
    {
        Phase phase(disk, run, std::move(*opened));
        std::vector<awaitable<void>> sessions;
        for (std::size_t each = 0; each < parameters.sessions; ++each)
            sessions.push_back(send(run, static_cast<store::MailboxNumber>(each)));
        delivered = phase.ran(std::move(sessions), run.settled);
    }
    if (run.failed) return failed("a submission", run.failed);
    if (run.settled != parameters.messages) {
        std::cerr << "settled " << run.settled << " of " << parameters.messages << '\n';
        return 70;  // EX_SOFTWARE
    }
    std::cout << boost::json::serialize(boost::json::object{{"bench", "outbox"},
                                                            {"accept", std::move(accepted)},
                                                            {"deliver", std::move(delivered)},
                                                            {"restart_seconds", restart_seconds},
                                                            {"peak_rss_bytes_queued", rss_queued},
                                                            {"peak_rss_bytes", bench::peak_rss_bytes()},
                                                            {"clients", parameters.clients},
                                                            {"sessions", parameters.sessions},
                                                            {"messages", parameters.messages},
                                                            {"bytes", parameters.bytes},
                                                            {"mailboxes", parameters.mailboxes}})
              << '\n';
    return 0;
}
