#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <filesystem>
#include <future>
#include <iostream>
#include <thread>

#include "bench/benches.hpp"
#include "bench/measure.hpp"
#include "bench/sink_dialogue.hpp"
#include "engine/consumers/hand_off.hpp"
#include "engine/consumers/lmtp.hpp"
#include "engine/consumers/webhook.hpp"
#include "engine/runtime/shard.hpp"
#include "protocols/net/system_dialer.hpp"
#include "queue/store/open.hpp"

namespace {

using asio::ip::tcp;

struct Parameters {
    std::string kind = "lmtp";
    std::string format = "raw";
    std::size_t messages = 50'000;
    std::size_t bytes = 4096;
    std::size_t mailboxes = 64;
    std::size_t connections = 4;
    std::string directory;
};

/// Whoever is called: takes every mail and forgets it, on a thread of its own, as cheaply as can be.
class Taker {
public:
    explicit Taker(bool http) : http_(http), listener_(context_, {asio::ip::make_address("127.0.0.1"), 0}) {
        asio::co_spawn(context_, accept(), asio::detached);
        thread_ = std::thread([this] {
            context_.run();
            cpu_ns_ = bench::thread_cpu_time().count();
        });
    }
    ~Taker() { stop(); }
    Taker(const Taker&) = delete;
    Taker& operator=(const Taker&) = delete;

    [[nodiscard]] std::uint16_t port() const { return listener_.local_endpoint().port(); }
    /// Its processor time in seconds.
    double stop() {
        context_.stop();
        if (thread_.joinable()) thread_.join();
        return static_cast<double>(cpu_ns_) / 1e9;
    }

private:
    awaitable<void> accept() {
        for (;;) {
            auto socket = co_await listener_.async_accept(asio::use_awaitable);
            asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
        }
    }

    awaitable<void> serve(tcp::socket socket) {
        socket.set_option(tcp::no_delay(true));
        bench::SinkDialogue dialogue;
        std::string input, replies = http_ ? "" : "220 localhost LMTP\r\n";
        std::string piece(256U << 10U, '\0');
        for (;;) {
            if (!replies.empty()) {
                co_await socket.async_send(asio::buffer(replies), asio::use_awaitable);
                replies.clear();
            }
            const auto [ended, bytes] =
                co_await socket.async_read_some(asio::buffer(piece), asio::as_tuple(asio::use_awaitable));
            if (ended) co_return;
            const std::string_view came(piece.data(), bytes);
            if (http_)
                take_posts(came, input, replies);
            else
                dialogue.take(came, replies);
        }
    }

    static void take_posts(std::string_view bytes, std::string& input, std::string& replies) {
        input += bytes;
        for (;;) {
            const auto end = input.find("\r\n\r\n");
            if (end == std::string::npos) return;
            const auto at = input.find("Content-Length: ");
            const std::size_t whole = end + 4 + std::stoul(input.substr(at + 16, 20));
            if (input.size() < whole) return;
            input.erase(0, whole);
            replies += "HTTP/1.1 204 No Content\r\n\r\n";
        }
    }

    bool http_;
    asio::io_context context_{1};
    tcp::acceptor listener_;
    std::atomic<std::int64_t> cpu_ns_{0};
    std::thread thread_;
};

std::unique_ptr<consumers::Consumer> consumer_for(const Parameters& parameters, std::uint16_t port, Seams& seams) {
    if (parameters.kind == "lmtp") {
        consumers::Lmtp::Options options;
        options.host = "127.0.0.1";
        options.port = port;
        options.where = "the sink";
        options.recipient = "{address}";
        options.own_name = "bench.test";
        return std::make_unique<consumers::Lmtp>(std::move(options), seams);
    }
    consumers::Webhook::Options options;
    options.receiver.url = "http://127.0.0.1:" + std::to_string(port) + "/mail";
    options.receiver.key = Secret("a key of the bench, as long as keys are");
    options.format = parameters.format == "json" ? config::Consumer::Format::json : config::Consumer::Format::raw;
    options.source = "urn:rohrpost:bench";
    return std::make_unique<consumers::Webhook>(std::move(options), seams);
}

/// A backlog: so many mails, in turn in the mailboxes.
Result<void> fill(store::OpenedStore& opened, const Parameters& parameters) {
    std::string body =
        "From: someone@elsewhere.test\r\nSubject: bench\r\nReturn-Path: <someone@elsewhere.test>\r\n\r\n";
    while (body.size() + 60 < parameters.bytes) body += "A line of a mail, as long as lines of mails are.\r\n";
    body.resize(std::max(body.size(), parameters.bytes - 2), 'x');
    body += "\r\n";
    constexpr std::size_t group = 256;
    std::vector<store::FolderNumber> folders(parameters.mailboxes);
    std::vector<store::MailboxNumber> numbers(parameters.mailboxes);
    for (std::size_t from = 0; from < parameters.messages; from += group) {
        auto done = opened.store->begin();
        if (!done) return done;
        for (std::size_t at = from; at < std::min(from + group, parameters.messages); ++at) {
            const auto box = at % parameters.mailboxes;
            if (at < parameters.mailboxes) {
                const auto id = "box" + std::to_string(box);
                const auto put = opened.store->put_mailbox(id, R"({"address": ")" + id + R"(@bench.test"})");
                if (!put) return put.error();
                numbers[box] = *put;
                const auto folder = opened.store->folder(*put, "INBOX");
                if (!folder) return folder.error();
                folders[box] = folder->number;
                done = opened.store->subscribe("sink", *put);
                if (!done) return done;
            }
            const auto place = opened.bodies->append(body);
            if (!place) return place.error();
            store::Message message{.mailbox = numbers[box],
                                   .folder = folders[box],
                                   .uid_validity = 1,
                                   .uid = static_cast<std::uint32_t>(at / parameters.mailboxes + 1),
                                   .body = *place};
            for (std::size_t byte = 0; byte < 8; ++byte)
                message.id[byte] = static_cast<unsigned char>(at >> (8 * byte));
            const auto added = opened.store->add_message(message);
            if (!added) return added.error();
        }
        done = opened.bodies->sync();
        if (done) done = opened.store->commit();
        if (!done) return done;
    }
    return {};
}

int failed(std::string_view what, error_code reason) {
    std::cerr << what << ": " << reason.message() << '\n';
    return 74;  // EX_IOERR
}

}  // namespace

int bench_hand_off(int argc, char** argv) {
    Parameters parameters;
    CLI::App app("A backlog in a store on disk, handed off to a sink on loopback that takes everything.",
                 "rohrpost-bench hand-off");
    app.add_option("--kind", parameters.kind, "lmtp or webhook")
        ->check(CLI::IsMember({"lmtp", "webhook"}))
        ->capture_default_str();
    app.add_option("--format", parameters.format, "Of webhooks: raw or json")
        ->check(CLI::IsMember({"raw", "json"}))
        ->capture_default_str();
    app.add_option("--messages", parameters.messages, "In all")->capture_default_str();
    app.add_option("--bytes", parameters.bytes, "Of each message")->capture_default_str();
    app.add_option("--mailboxes", parameters.mailboxes, "Taken in turn")->capture_default_str();
    app.add_option("--connections", parameters.connections, "At once")->capture_default_str();
    app.add_option("--directory", parameters.directory, "An empty one on the disk to measure")->required();
    CLI11_PARSE(app, argc, argv);

    if (std::filesystem::exists(store::Path(parameters.directory) / "data")) {
        std::cerr << "hand-off: " << parameters.directory << " holds a store already: name an empty directory\n";
        return 73;  // EX_CANTCREAT
    }
    store::SystemDisk disk;
    store::OpenFailure failure;
    auto opened = store::open_store(disk, store::Path(parameters.directory) / "data", {}, &failure);
    if (!opened) return failed(failure.sentence, failure.reason);
    const auto filled = fill(*opened, parameters);
    if (!filled) return failed("the backlog", filled.error());

    SystemClock clock;
    SystemRandom random;
    Taker taker(parameters.kind == "webhook");
    net::SystemDialer::Options dialling;
    const auto make_dialer = [&dialling](asio::io_context& context, Timers& timers, Random&) {
        return std::unique_ptr<net::Dialer>(std::make_unique<net::SystemDialer>(context, timers, dialling));
    };
    const auto* bodies = opened->bodies.get();
    store::Committer committer(std::move(opened->store), std::move(opened->bodies), clock, {});
    runtime::Counters counters;
    runtime::Shard shard("call", clock, random, 1U << 20U, make_dialer);
    consumers::HandOff::Options options;
    options.consumer = "sink";
    options.batch_mails_max = 64;
    options.lanes = parameters.connections;
    options.lots = consumers::HandOff::Options::Lots::shared;
    options.folder_names = parameters.kind == "webhook";
    consumers::HandOff hand_off(options,
                                {shard.executor(), shard.inbox(), shard.timers(), random, committer, *bodies, counters},
                                consumer_for(parameters, taker.port(), shard.seams()));
    const bench::Stopwatch watch;
    committer.start();
    shard.start();
    asio::post(shard.executor(), [&hand_off] { hand_off.start(); });
    while (!hand_off.idle()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double seconds = watch.seconds();
    const double all_cpu = watch.cpu_seconds();
    std::promise<void> drained;
    asio::co_spawn(shard.executor(), hand_off.drain(), [&drained](const std::exception_ptr&) { drained.set_value(); });
    drained.get_future().wait();
    shard.stop();
    committer.stop();
    const double cpu = all_cpu - taker.stop();
    const auto stats = hand_off.stats();
    if (stats.delivered_mails != parameters.messages) {
        std::cerr << "delivered " << stats.delivered_mails << " of " << parameters.messages << ": " << stats.last_reason
                  << '\n';
        return 70;  // EX_SOFTWARE
    }
    const auto count = static_cast<double>(parameters.messages);
    std::cout << boost::json::serialize(
                     boost::json::object{{"bench", "hand-off"},
                                         {"kind", parameters.kind},
                                         {"format", parameters.format},
                                         {"messages_per_second", count / seconds},
                                         {"cpu_us_per_message", cpu * 1e6 / count},
                                         {"sink_cpu_us_per_message", (all_cpu - cpu) * 1e6 / count},
                                         {"messages_per_batch", count / static_cast<double>(stats.batches)},
                                         {"peak_rss_bytes", bench::peak_rss_bytes()},
                                         {"messages", parameters.messages},
                                         {"bytes", parameters.bytes},
                                         {"mailboxes", parameters.mailboxes},
                                         {"connections", parameters.connections}})
              << '\n';
    return 0;
}
