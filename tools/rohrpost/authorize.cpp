#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <optional>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"

namespace cli {
namespace {

constexpr int look_each_ms = 1000;

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// A line from standard input if there is one within a second. `open` ends with the input.
std::optional<std::string> pasted(bool& open) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(open ? &input : nullptr, open ? 1 : 0, look_each_ms) <= 0) return std::nullopt;
    std::string line;
    for (char c = 0; c != '\n';) {
        if (::read(STDIN_FILENO, &c, 1) != 1) {
            open = false;
            break;
        }
        line += c;
    }
    if (line.find_first_not_of(" \r\n\t") == std::string::npos) return std::nullopt;
    return line;
}

int code_of(const std::string& state) {
    if (state == "stored") return EX_OK;
    if (state == "no answer" || state == "not stored" || state == "pending") return EX_TEMPFAIL;
    return EX_NOPERM;
}

int end(const boost::json::object& outcome, bool json) {
    const std::string state = text_at(outcome, "state");
    if (json) fmt::print("{}\n", boost::json::serialize(outcome));
    if (state == "stored") {
        if (!json) fmt::print("{}\n", text_at(outcome, "headline"));
        return EX_OK;
    }
    const std::string remedy = text_at(outcome, "remedy");
    throw Failure(code_of(state), text_at(outcome, "headline") + (remedy.empty() ? "" : "\n  " + remedy));
}

void explain(const boost::json::object& begun, bool device) {
    const std::string user = text_at(begun, "user");
    if (device) {
        fmt::print(stderr, "On any machine, open\n\n  {}\n\nenter the code  {}  and sign in as {}\n\n",
                   text_at(begun, "verification_uri"), text_at(begun, "user_code"), user);
        fmt::print(stderr, "Waiting until {} (Ctrl-C gives up).\n", text_at(begun, "until"));
        return;
    }
    fmt::print(
        stderr,
        "Open this address in a private window (so that the browser does not sign in the workstation's own user),"
        "\nand sign in as {}:\n\n",
        user);
    fmt::print("{}\n", text_at(begun, "url"));
    std::fflush(stdout);
    fmt::print(stderr,
               "\nThe provider then sends the browser to {}.\n"
               "If that page cannot be reached from there, paste the address it shows here. Waiting until {} (Ctrl-C "
               "gives up).\n",
               text_at(begun, "redirect_uri"), text_at(begun, "until"));
}

int authorize(Caller& caller, const std::string& credential, bool device, bool json) {
    const auto begun = boost::json::parse(ask(caller, "POST",
                                              fmt::format("/v1/credentials/{}/authorize?by={}", encoded(credential),
                                                          device ? "device" : "browser")))
                           .as_object();
    explain(begun, device);
    const std::string id = text_at(begun, "sign_in");
    // Longer than any sign-in lasts: the daemon says when one is over.
    const auto until = std::chrono::steady_clock::now() + std::chrono::hours(25);
    bool open = !device;
    std::string waited_for;
    while (std::chrono::steady_clock::now() < until) {
        if (const auto line = pasted(open)) {
            const auto answer = caller.call({.method = "POST", .target = "/v1/sign-ins/finish", .body = *line});
            if (answer.status == 422) {
                fmt::print(stderr, "{}\n", text_at(boost::json::parse(answer.body).as_object(), "detail"));
                continue;
            }
            return end(boost::json::parse(accepted(answer)).as_object(), json);
        }
        const auto state = boost::json::parse(ask(caller, "GET", "/v1/sign-ins/" + encoded(id))).as_object();
        if (text_at(state, "state") != "pending") return end(state, json);
    }
    throw Failure(EX_TEMPFAIL, "nobody has signed in");
}

}  // namespace

int authorize_command(Words words) {
    std::string data, credential;
    bool device = false, json = false;
    CLI::App app(
        "Lets the owner of a credential sign in at the provider, and stores the grant. The daemon must run: it asks "
        "for "
        "the tokens from then on. Ends with 0 when it is stored, 77 when it was refused or somebody else signed in, 75 "
        "when it may be tried again.",
        "rohrpost authorize");
    config::declare_data(app, data);
    app.add_option("CREDENTIAL", credential, "Its id in the import document")->required();
    app.add_flag("--device", device, "By a code that is entered on another machine, instead of a redirect");
    app.add_flag("--json", json, "Print the outcome as JSON");
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    return authorize(*caller, credential, device, json);
}

}  // namespace cli
