#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"

namespace cli {

int api_token_command(Words words) {
    std::string data;
    bool json = false;
    CLI::App app(
        "Makes a new token for the API and the console's log-in, and prints it this once. The old one ends, and so do "
        "the log-ins that were made with it.",
        "rohrpost api-token");
    config::declare_data(app, data);
    app.add_flag("--json", json, "Print {\"token\": …}");
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    const std::string body = ask(*caller, "POST", "/v1/api-token");
    const auto made = boost::json::parse(body).as_object();
    fmt::print("{}", json ? body : std::string(made.at("token").as_string()) + "\n");
    return EX_OK;
}

}  // namespace cli
