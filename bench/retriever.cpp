#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <memory>

#include "bench/bare_fetch.hpp"
#include "bench/benches.hpp"
#include "bench/rig.hpp"
#include "tests/support/directory.hpp"
#include "tests/support/dovecot.hpp"
#include "tests/support/running.hpp"
#include "tools/rohrpost-sim/message.hpp"
#include "tools/rohrpost-sim/provider.hpp"

namespace {

struct Parameters {
    std::string server = "dovecot";
    std::string sizes = "4096";
    std::string consumer = "pull";
    std::uint64_t messages = 20'000;
    std::uint64_t mailboxes = 1;
    std::uint32_t threads = 1;
    bool pop3 = false;
    bool compare = false;
};

sim::Sizes sizes_of(const std::string& sizes) {
    sim::Sizes these;
    these.fixed_bytes = sizes == "mixed" ? 0 : std::stoul(sizes);
    return these;
}

void fill(support::Dovecot& dovecot, const std::string& user, const Parameters& parameters) {
    constexpr std::uint64_t at_once = 500;
    const auto count = parameters.messages / parameters.mailboxes;
    for (std::uint64_t done = 0; done < count; done += at_once) {
        std::vector<std::string> messages;
        for (auto number = done; number < std::min(done + at_once, count); ++number) {
            const auto named = static_cast<std::uint32_t>(number + 1);
            messages.push_back(sim::message_of(user, named, sizes_of(parameters.sizes).of(user, named)));
        }
        dovecot.put(user, messages);
    }
}

}  // namespace

int bench_retriever(int argc, char** argv) {
    Parameters parameters;
    CLI::App app("Fetches messages over IMAP or POP3 with TLS and XOAUTH2 until all are durable (and handed off)",
                 "rohrpost-bench retriever");
    app.add_option("--server", parameters.server, "Where the mail lies: dovecot (Debian's, with Maildir) or sim")
        ->check(CLI::IsMember({"dovecot", "sim"}))
        ->capture_default_str();
    app.add_option("--sizes", parameters.sizes, "Bytes of each message, or mixed (70 % 4 KB, 25 % 40 KB, 5 % 1 MB)")
        ->capture_default_str();
    app.add_option("--consumer", parameters.consumer, "pull: up to the durable ledger; maildir: handed off, too")
        ->check(CLI::IsMember({"pull", "maildir"}))
        ->capture_default_str();
    app.add_option("--messages", parameters.messages, "In all mailboxes together")->capture_default_str();
    app.add_option("--mailboxes", parameters.mailboxes, "Mailboxes, a session each")->capture_default_str();
    app.add_option("--threads", parameters.threads, "Shards of the daemon")->capture_default_str();
    app.add_flag("--pop3", parameters.pop3, "Over POP3");
    app.add_flag("--compare", parameters.compare,
                 "Then fetch the first mailbox with a bare client, too, which throws everything away (dovecot only)");
    CLI11_PARSE(app, argc, argv);
    bench::raise_file_limit();
    if (parameters.compare && parameters.server != "dovecot") {
        std::cerr << "rohrpost-bench retriever: --compare needs --server dovecot\n";
        return 64;
    }

    const support::TemporaryDirectory home;
    sim::Options options;
    options.directory = home / "sim";
    options.population.mailboxes = static_cast<std::uint32_t>(parameters.mailboxes);
    if (parameters.pop3) options.protocol = "pop3";
    const bool dovecot_serves = parameters.server == "dovecot";
    if (!dovecot_serves) {
        options.population.messages = static_cast<std::uint32_t>(parameters.messages / parameters.mailboxes);
        options.population.sizes = sizes_of(parameters.sizes);
    }
    options.consumer = parameters.consumer == "pull" ? "pull" : "maildir:" + (home / "Maildir").string();

    // The pretend provider gives the tokens; as the mail server it is a process of its own.
    std::unique_ptr<sim::Provider> provider;
    std::unique_ptr<support::Dovecot> dovecot;
    std::unique_ptr<support::Process> process;
    auto document = home / "import.json";
    std::uint16_t mail_port = 0;
    if (dovecot_serves) {
        provider = std::make_unique<sim::Provider>(options);
        provider->start();
        support::Dovecot::Wish wish;
        wish.introspection_port = provider->ports().http;
        wish.authority = &provider->authority();
        const auto pop3_port = support::free_port();
        if (parameters.pop3) wish.settings = support::Dovecot::pop3_settings(pop3_port);
        dovecot = std::make_unique<support::Dovecot>(wish);
        for (std::uint64_t box = 1; box <= parameters.mailboxes; ++box) {
            fill(*dovecot, fmt::format("box{:04}@sim.test", box), parameters);
        }
        mail_port = parameters.pop3 ? pop3_port : dovecot->port();
        std::ofstream(document) << provider->import_document_with(mail_port);
    } else {
        support::Process::Start start;
        start.command = {bench::program("rohrpost-sim"),
                         "--dir",
                         options.directory.string(),
                         "--mailboxes",
                         std::to_string(parameters.mailboxes),
                         "--messages",
                         std::to_string(parameters.messages / parameters.mailboxes),
                         "--sizes",
                         parameters.sizes,
                         "--consumer",
                         options.consumer,
                         "--protocol",
                         options.protocol};
        process = std::make_unique<support::Process>(std::move(start));
        if (!process->read_line(std::chrono::seconds(20))) throw std::runtime_error(process->errors());
        document = options.directory / "import.json";
    }
    const auto data = home / "data";
    bench::import(data, document);
    auto line = bench::run_json({bench::program("rohrpost-bench"), "engine", "--data", data.string(), "--messages",
                                 std::to_string(parameters.messages), "--threads", std::to_string(parameters.threads)});
    line["bench"] = "retriever";
    line["server"] = parameters.server;
    line["protocol"] = options.protocol;
    line["sizes"] = parameters.sizes;
    line["consumer"] = parameters.consumer;
    line["mailboxes"] = parameters.mailboxes;
    line["threads"] = parameters.threads;
    if (parameters.compare) {
        const auto how = parameters.pop3 ? bench::BareFetch::pop3 : bench::BareFetch::imap;
        const double bare =
            bench::fetch_bare(how, mail_port, "box0001@sim.test", std::string(support::Dovecot::password),
                              parameters.messages / parameters.mailboxes);
        line["bare_cpu_us_per_message"] = bare;
        line["over_bare"] = line.at("cpu_us_per_message").to_number<double>() / bare;
    }
    std::cout << boost::json::serialize(line) << std::endl;
    return 0;
}
