#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <iterator>
#include <map>

#include "engine/config/flags.hpp"
#include "engine/doctor/explain.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/findings.hpp"

namespace cli {
namespace {

using namespace std::chrono_literals;

constexpr auto looks_apart_ms = 1000;
constexpr auto quiet_for = 3s;     // a check that is over sooner says nothing of how far it is
constexpr auto lines_apart = 10s;  // where no terminal shows it
constexpr auto longest = 20min;    // the check itself ends earlier

/// How far it is, on standard error.
class ProgressLine {
public:
    void show(const boost::json::object& state) {
        const auto now = std::chrono::steady_clock::now();
        const bool terminal = ::isatty(STDERR_FILENO) == 1;
        if (now - began_ < quiet_for || (!terminal && now - shown_ < lines_apart)) return;
        shown_ = now;
        fmt::print(stderr, "{}checking: {} of {} steps{}", terminal ? "\r" : "",
                   state.at("done").to_number<std::int64_t>(), state.at("steps").to_number<std::int64_t>(),
                   terminal ? " " : "\n");
        on_terminal_ = terminal;
    }
    void end() const {
        if (on_terminal_) fmt::print(stderr, "\r\x1b[K");
    }
    [[nodiscard]] bool is_over() const { return std::chrono::steady_clock::now() - began_ > longest; }

private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point shown_{};
    bool on_terminal_ = false;
};

boost::json::object checked(Caller& caller, const std::vector<std::string>& mailboxes) {
    boost::json::object wish;
    if (!mailboxes.empty()) wish["mailboxes"] = boost::json::array(mailboxes.begin(), mailboxes.end());
    control::Request request{.method = "POST", .target = "/v1/checks"};
    if (!wish.empty()) request.body = boost::json::serialize(wish);
    const auto begun = boost::json::parse(accepted(caller.call(std::move(request)))).as_object();
    const auto target = fmt::format("/v1/checks/{}?wait_ms={}", begun.at("check").as_string().c_str(), looks_apart_ms);
    ProgressLine progress;
    while (!progress.is_over()) {
        auto state = boost::json::parse(ask(caller, "GET", target)).as_object();
        if (state.at("state") == "done") {
            progress.end();
            return state;
        }
        progress.show(state);
    }
    progress.end();
    throw Failure(EX_TEMPFAIL, "the check does not end; see the daemon's log");
}

std::string text_of_input(std::string text) {
    if (text != "-") return text;
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

int explain(const std::string& text, bool json) {
    const auto explanation = doctor::explain(text);
    using Is = doctor::Explanation::Is;
    if (json) {
        constexpr std::array<std::string_view, 3> words{"known", "class", "unknown"};
        const boost::json::object object{{"is", words[static_cast<std::size_t>(explanation.is)]},
                                         {"id", explanation.id},
                                         {"about", explanation.about},
                                         {"cause", explanation.cause},
                                         {"remedy", explanation.remedy},
                                         {"remark", explanation.remark}};
        fmt::print("{}\n", boost::json::serialize(object));
    } else {
        fmt::print("{}", shown(explanation));
    }
    return explanation.is == Is::unknown ? EX_DATAERR : EX_OK;
}

/// A text that begins with a dash (-ERR …) is no flag.
void keep_text_whole(Words& words) {
    const auto flag = std::find(words.begin(), words.end(), "--explain");
    if (flag == words.end() || std::next(flag) == words.end()) return;
    *flag += '=' + *std::next(flag);
    words.erase(std::next(flag));
}

constexpr std::string_view about =
    "The doctor: finds out why mail is not fetched. For each mailbox (all, or those named): the configuration, the "
    "clock, "
    "DNS, TCP over IPv4 and IPv6, TLS and certificate, who answers, the identity provider, the grant and its token, "
    "whose "
    "it is and what it may do, the log-in, and each folder, read-only. Nothing at the server changes, and tokens come "
    "from "
    "the daemon when one runs; it looks itself then, by its own --proxy and --ip-family. docs/check.md explains each "
    "finding.\n\n"
    "Ends with 0 when there is no fault (warnings and notes are none); else by the worst there is: 69 network or "
    "server "
    "cannot be used, 78 configuration or registration, 77 account, grant or rights, 75 it passes by itself. --explain "
    "ends with 0, or 65 when nothing is known of the text.";

}  // namespace

int check_command(Words words) {
    std::string text;
    config::RunFlags flags;  // of them: where the store is, and how to get out
    std::vector<std::string> mailboxes;
    bool json = false, verbose = false;
    CLI::App app{std::string(about), "rohrpost check"};
    config::declare_data(app, flags.data);
    app.set_config("--config", "", "The daemon's TOML file: its data, key-file, proxy and ip-family count here")
        ->type_name("FILE");
    app.allow_config_extras(CLI::config_extras_mode::ignore);
    config::declare_way_out(app, flags);
    app.add_option("MAILBOX", mailboxes, "Ids of mailboxes; all without it");
    app.add_flag("--json", json, "Print one JSON document");
    app.add_flag("--verbose", verbose, "Print what is well, too");
    app.add_option(
           "--explain", text,
           "What a text means: an AADSTS error, what an IMAP, POP3 or SMTP server answers, a line of the log, or "
           "the id of a finding; - reads it from standard input. Needs no store and no network")
        ->type_name("TEXT");
    app.add_option("--key-file", flags.key_file, "The key of the store, where no daemon runs")
        ->type_name("FILE")
        ->default_str("DIR/key");
    keep_text_whole(words);
    if (!parse(app, std::move(words))) return EX_OK;
    if (app.count("--explain") > 0) return explain(text_of_input(std::move(text)), json);
    Needs needs{.checks = true, .ip_family = flags.ip_family, .proxy = flags.proxy, .key_file = flags.key_file};
    const auto caller = caller_for(flags.data, needs);
    const auto report = checked(*caller, mailboxes);
    if (json) {
        fmt::print("{}\n", boost::json::serialize(report));
    } else {
        fmt::print("{}", shown(report, verbose ? Detail::all : Detail::what_is_wrong));
    }
    return code_of(report);
}

}  // namespace cli
