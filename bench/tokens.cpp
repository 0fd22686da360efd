#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>

#include "bench/benches.hpp"
#include "bench/measure.hpp"
#include "bench/token_waiters.hpp"
#include "engine/tokens/published.hpp"

namespace {

using tokens::Token;

struct Parameters {
    std::size_t reads = 3'000'000;  // of each thread
    std::size_t rounds = 5;
    std::size_t write_each_ms = 10;
    std::size_t waiters = 10'000;
};

std::shared_ptr<const Token> token_number(std::uint64_t number) {
    Token token;
    token.secret = Secret(std::string(1500, 'x'));
    token.user = "desk@contoso.com";
    token.generation = number;
    return std::make_shared<const Token>(std::move(token));
}

// Each way to share a token: write() replaces it; a Reader of each thread gives the generation of the current one.
struct Ours {
    void write(std::shared_ptr<const Token> token) { published->put(std::move(token)); }
    struct Reader {
        explicit Reader(Ours& of) : reader(of.published) {}
        std::uint64_t read() { return reader.current()->generation; }
        tokens::PublishedReader reader;
    };
    std::shared_ptr<tokens::Published> published = std::make_shared<tokens::Published>();
};

struct AtomicSharedPtr {
    void write(std::shared_ptr<const Token> token) { place.store(std::move(token)); }
    struct Reader {
        explicit Reader(AtomicSharedPtr& of) : place(of.place) {}
        std::uint64_t read() { return place.load()->generation; }
        std::atomic<std::shared_ptr<const Token>>& place;
    };
    std::atomic<std::shared_ptr<const Token>> place;
};

struct Mutex {
    void write(std::shared_ptr<const Token> token) {
        const std::lock_guard lock(mutex);
        place = std::move(token);
    }
    struct Reader {
        explicit Reader(Mutex& all) : of(all) {}
        std::uint64_t read() {
            std::shared_ptr<const Token> token;
            {
                const std::lock_guard lock(of.mutex);
                token = of.place;
            }
            return token->generation;
        }
        Mutex& of;
    };
    std::mutex mutex;
    std::shared_ptr<const Token> place;
};

double cpu_ns_of_thread() { return std::chrono::duration<double, std::nano>(bench::thread_cpu_time()).count(); }

/// CPU nanoseconds a read while one writer puts a new token every few milliseconds: more threads than processors take
/// turns, and only what a thread itself spends counts. The slowest thread's.
template <class Way>
double read_ns(const Parameters& parameters, std::size_t threads) {
    Way way;
    way.write(token_number(1));
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (std::uint64_t number = 2; !stop; ++number) {
            std::this_thread::sleep_for(std::chrono::milliseconds(parameters.write_each_ms));
            way.write(token_number(number));
        }
    });
    std::vector<double> spent(threads);
    std::vector<std::thread> readers;
    std::atomic<bool> went_back{false};
    for (std::size_t at = 0; at < threads; ++at) {
        readers.emplace_back([&, at] {
            typename Way::Reader reader(way);
            std::uint64_t last = 0;
            const double begun = cpu_ns_of_thread();
            for (std::size_t read = 0; read < parameters.reads; ++read) {
                const auto generation = reader.read();
                if (generation < last) went_back = true;
                last = generation;
            }
            spent[at] = (cpu_ns_of_thread() - begun) / static_cast<double>(parameters.reads);
        });
    }
    for (auto& reader : readers) reader.join();
    stop = true;
    writer.join();
    return went_back ? -1 : *std::max_element(spent.begin(), spent.end());
}

template <class Way>
double median_ns(const Parameters& parameters, std::size_t threads) {
    std::vector<double> rounds;
    for (std::size_t round = 0; round < parameters.rounds; ++round) rounds.push_back(read_ns<Way>(parameters, threads));
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
}

}  // namespace

int bench_tokens(int argc, char** argv) {
    Parameters parameters;
    CLI::App app(
        "Reading the current token of a credential while it is replaced every few milliseconds: CPU of a read; and "
        "sessions that wait for one refresh: CPU until all have its token",
        "rohrpost-bench tokens");
    app.add_option("--reads", parameters.reads, "Of each thread")->capture_default_str();
    app.add_option("--rounds", parameters.rounds, "Of which the median is given")->capture_default_str();
    app.add_option("--write-each", parameters.write_each_ms, "Milliseconds between two tokens")->capture_default_str();
    app.add_option("--waiters", parameters.waiters, "Sessions behind one refresh")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    boost::json::object line{{"bench", "tokens"}};
    for (const std::size_t threads : {std::size_t{1}, std::size_t{4}}) {
        const std::string suffix = "_read_ns_" + std::to_string(threads) + (threads == 1 ? "_thread" : "_threads");
        line["published" + suffix] = median_ns<Ours>(parameters, threads);
        line["mutex" + suffix] = median_ns<Mutex>(parameters, threads);
        line["atomic_shared_ptr" + suffix] = median_ns<AtomicSharedPtr>(parameters, threads);
    }
    std::vector<double> cpu_ms;
    std::size_t requests = 0;
    for (std::size_t round = 0; round < parameters.rounds; ++round) {
        const auto spent = bench::resume_waiters(parameters.waiters);
        cpu_ms.push_back(spent.cpu_ms);
        requests = std::max(requests, spent.requests);
    }
    line["waiters"] = parameters.waiters;
    line["waiters_requests"] = requests;
    line["waiters_cpu_ms"] = bench::percentile(cpu_ms, 0.5);
    std::cout << boost::json::serialize(line) << "\n";
    return 0;
}
