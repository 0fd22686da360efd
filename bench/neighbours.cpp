// What one mailbox that hangs and one that breaks cost the others.

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "bench/benches.hpp"
#include "bench/measure.hpp"
#include "bench/rig.hpp"
#include "tests/support/directory.hpp"
#include "tests/support/process.hpp"
#include "tools/rohrpost-sim/message.hpp"
#include "tools/rohrpost-sim/provider.hpp"

namespace {

using namespace std::chrono_literals;
using Moment = std::chrono::steady_clock::time_point;

constexpr std::uint32_t tar_pit = 1;   // answers nothing after the log-in
constexpr std::uint32_t poisoned = 2;  // breaks each body off in the middle
constexpr std::uint32_t first_healthy = 3;

struct Parameters {
    std::uint32_t mailboxes = 1000;
    std::uint32_t seconds = 20;
    std::uint32_t per_second = 50;
    std::uint32_t rounds = 3;
    std::uint32_t threads = 1;
};

enum class Neighbours { well, ill };

/// Notes when each file comes into a directory: what a file system says of that is up to 4 ms old.
class Arrivals {
public:
    explicit Arrivals(std::filesystem::path directory) : directory_(std::move(directory)), events_(::inotify_init1(0)) {
        std::filesystem::create_directories(directory_);
        if (events_ < 0 || ::inotify_add_watch(events_, directory_.c_str(), IN_MOVED_TO | IN_CREATE) < 0)
            throw std::runtime_error("cannot watch " + directory_.string());
        watcher_ = std::thread([this] { watch(); });
    }
    Arrivals(const Arrivals&) = delete;
    Arrivals& operator=(const Arrivals&) = delete;
    ~Arrivals() {
        over_ = true;
        watcher_.join();
        ::close(events_);
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    /// Those that came: nobody comes any more.
    [[nodiscard]] const std::map<std::filesystem::path, Moment>& files() const noexcept { return files_; }

private:
    void watch() {
        alignas(inotify_event) std::array<char, 64 * 1024> buffer;
        while (!over_) {
            pollfd ready{.fd = events_, .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, 50) <= 0) continue;
            const auto now = std::chrono::steady_clock::now();
            const auto got = ::read(events_, buffer.data(), buffer.size());
            for (std::ptrdiff_t at = 0; at < got;) {
                const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
                files_.emplace(directory_ / event->name, now);
                at += static_cast<std::ptrdiff_t>(sizeof(inotify_event) + event->len);
            }
            count_ = files_.size();
        }
    }

    std::filesystem::path directory_;
    int events_;
    std::atomic<bool> over_{false};
    std::atomic<std::uint64_t> count_{0};
    std::map<std::filesystem::path, Moment> files_;
    std::thread watcher_;
};

/// The daemon, its provider, and the Maildir that everything is handed off to.
class House {
public:
    House(const Parameters& parameters, Neighbours neighbours)
        : parameters_(parameters), neighbours_(neighbours), provider_(options_in(home_, parameters)) {
        provider_.start();
        bench::import(home_ / "data", provider_.import_file());
        support::Process::Start start;
        start.command = {bench::program("rohrpost"),
                         "run",
                         "--data",
                         (home_ / "data").string(),
                         "--roles",
                         "retriever",
                         "--threads",
                         std::to_string(parameters.threads),
                         "--log-level",
                         "error"};
        daemon_ = std::make_unique<support::Process>(std::move(start));
        const auto idles = [this] { return provider_.ask([](sim::World& world) { return world.counters.idles; }); };
        await([&] { return idles() >= parameters_.mailboxes; }, "the mailboxes to be idle");
        if (neighbours == Neighbours::ill) make_ill();
    }

    /// Mail arrives, a piece now and then; how long each took to the Maildir, in microseconds. Healthy mailboxes only.
    std::vector<double> latencies() {
        std::mt19937 dice(1);
        std::map<std::string, Moment> arrived;
        const auto count = std::uint64_t{parameters_.seconds} * parameters_.per_second;
        std::map<std::filesystem::path, Moment> taken;
        {
            Arrivals arrivals(home_ / "Maildir/new");
            const auto begun = std::chrono::steady_clock::now();
            for (std::uint64_t number = 0; number < count; ++number) {
                std::this_thread::sleep_until(begun + number * 1'000'000us / parameters_.per_second);
                if (number % parameters_.per_second == 0) {  // new mail for the ill ones, too
                    arrive(tar_pit);
                    arrive(poisoned);
                }
                const auto box = first_healthy + dice() % (parameters_.mailboxes - first_healthy + 1);
                const auto now = std::chrono::steady_clock::now();
                arrived.emplace(arrive(static_cast<std::uint32_t>(box)), now);
            }
            await([&] { return arrivals.count() >= count; }, "all mail to be handed off");
            std::this_thread::sleep_for(1s);  // the ill ones' mail counted, too
            taken = arrivals.files();
        }
        std::vector<double> found;
        for (const auto& [file, moment] : taken) {
            const auto mark = sim::mark_of(support::contents_of(file));
            const auto mail = mark ? arrived.find(name_of(mark->mailbox, mark->number)) : arrived.end();
            if (mail == arrived.end()) continue;
            found.push_back(std::chrono::duration<double, std::micro>(moment - mail->second).count());
        }
        if (found.size() != arrived.size()) throw std::runtime_error("some mail was not handed off");
        const bool ill_ones_got_mail = taken.size() > arrived.size();
        if (ill_ones_got_mail != (neighbours_ == Neighbours::well))
            throw std::runtime_error("the ill neighbours are well, or the other way round");
        return found;
    }

private:
    static sim::Options options_in(const support::TemporaryDirectory& home, const Parameters& parameters) {
        sim::Options options;
        options.directory = home / "sim";
        options.population.mailboxes = parameters.mailboxes;
        options.population.sizes.fixed_bytes = 4096;
        options.consumer = "maildir:" + (home / "Maildir").string();
        return options;
    }
    void await(const std::function<bool()>& fact, std::string_view what) const {
        for (int turns = 0; !fact(); ++turns) {
            if (turns == 1200)
                throw std::runtime_error(fmt::format("waited in vain for {}: {}", what, daemon_->errors()));
            std::this_thread::sleep_for(100ms);
        }
    }
    void make_ill() {
        provider_.ask([](sim::World& world) {
            world.faults.add({.kind = sim::FaultKind::stall, .mailbox = sim::World::address_of(tar_pit)});
            world.faults.add({.kind = sim::FaultKind::drop_in_literal, .mailbox = sim::World::address_of(poisoned)});
            return 0;
        });
    }
    /// The mail by which it is known.
    std::string arrive(std::uint32_t box) {
        const auto address = sim::World::address_of(box);
        const auto number = provider_.ask([&address](sim::World& world) {
            auto& inbox = *world.folder(address, "INBOX");
            const auto next = inbox.number_next;
            world.arrive(inbox);
            return next;
        });
        return name_of(address, number);
    }
    static std::string name_of(const std::string& address, std::uint32_t number) {
        return fmt::format("{} {}", address, number);
    }
    Parameters parameters_;
    Neighbours neighbours_;
    support::TemporaryDirectory home_;
    sim::Provider provider_;
    std::unique_ptr<support::Process> daemon_;
};

double median_of(std::vector<double> values) { return bench::percentile(values, 0.5); }

}  // namespace

int bench_neighbours(int argc, char** argv) {
    Parameters parameters;
    CLI::App app(
        "From a mail's arrival in an idle IMAP mailbox to its file in a Maildir, with all mailboxes well, and in turn "
        "with one that hangs and one that breaks off each body among them; medians over the rounds",
        "rohrpost-bench neighbours");
    app.add_option("--mailboxes", parameters.mailboxes, "Mailboxes, a session each")
        ->check(CLI::Range(first_healthy, 100'000U))
        ->capture_default_str();
    app.add_option("--seconds", parameters.seconds, "Of arriving mail, in each round")->capture_default_str();
    app.add_option("--per-second", parameters.per_second, "Mails that arrive")
        ->check(CLI::Range(1U, 10'000U))
        ->capture_default_str();
    app.add_option("--rounds", parameters.rounds, "With each kind of neighbours")
        ->check(CLI::Range(1U, 100U))
        ->capture_default_str();
    app.add_option("--threads", parameters.threads, "Shards of the daemon")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    bench::raise_file_limit();
    std::map<Neighbours, std::vector<double>> middles, tails;
    for (std::uint32_t round = 0; round < parameters.rounds; ++round) {
        for (const auto neighbours : {Neighbours::well, Neighbours::ill}) {
            House house(parameters, neighbours);
            auto latencies = house.latencies();
            middles[neighbours].push_back(bench::percentile(latencies, 0.5));
            tails[neighbours].push_back(bench::percentile(latencies, 0.99));
        }
    }
    const auto well = median_of(tails[Neighbours::well]), ill = median_of(tails[Neighbours::ill]);
    const boost::json::object line{{"bench", "neighbours"},
                                   {"mailboxes", parameters.mailboxes},
                                   {"per_second", parameters.per_second},
                                   {"rounds", parameters.rounds},
                                   {"p50_us_well", median_of(middles[Neighbours::well])},
                                   {"p50_us_ill", median_of(middles[Neighbours::ill])},
                                   {"p99_us_well", well},
                                   {"p99_us_ill", ill},
                                   {"p99_us_well_rounds", boost::json::value_from(tails[Neighbours::well])},
                                   {"p99_us_ill_rounds", boost::json::value_from(tails[Neighbours::ill])},
                                   {"p99_ratio", well > 0 ? ill / well : 0}};
    std::cout << boost::json::serialize(line) << std::endl;
    return 0;
}
