#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/table.hpp"

namespace cli {

int alarms_command(Words words) {
    std::string data;
    bool json = false;
    CLI::App app("What is wrong and operators were told of.", "rohrpost alarms");
    config::declare_data(app, data);
    app.add_flag("--json", json, "Print one JSON document");
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    if (!caller->daemon_runs())
        throw Failure(EX_UNAVAILABLE, "no daemon runs, so nobody watches: start it with rohrpost run");
    const std::string body = ask(*caller, "GET", "/v1/alarms");
    if (json) {
        fmt::print("{}\n", body);
        return EX_OK;
    }
    const auto answer = boost::json::parse(body).as_object();
    if (!answer.at("watching").as_bool()) throw Failure(EX_UNAVAILABLE, "the daemon runs without the role alarm");
    const auto& alarms = answer.at("alarms").as_array();
    if (alarms.empty()) {
        fmt::print("nothing is wrong\n");
        return EX_OK;
    }
    Table table({"SINCE", "ALARM", "WHAT"});
    const auto text_at = [](const boost::json::object& object, std::string_view key) {
        const auto* found = object.if_contains(key);
        return found == nullptr ? std::string() : std::string(found->as_string());
    };
    for (const auto& value : alarms) {
        const auto& alarm = value.as_object();
        table.add({text_at(alarm, "since"), text_at(alarm, "rule"), text_at(alarm, "what")});
        if (alarm.contains("remedy")) table.add({"", "", text_at(alarm, "remedy")});
    }
    fmt::print("{}", table.text());
    return EX_OK;
}

}  // namespace cli
