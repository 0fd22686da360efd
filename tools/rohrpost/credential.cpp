#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/table.hpp"

namespace cli {
namespace {

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return {};
    return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

std::string signed_in(const boost::json::object& credential, std::string_view key) {
    const auto* who = credential.if_contains("signed_in");
    return who == nullptr || !who->is_object() ? std::string() : text_at(who->get_object(), key);
}

int list(Caller& caller, bool json) {
    Table table({"CREDENTIAL", "PROVIDER", "USER", "FLOW", "MAILBOXES", "TOKEN ENDS", "STATE", "REASON"});
    std::string after;
    do {
        const auto page = boost::json::parse(ask(caller, "GET", "/v1/credentials?after=" + encoded(after))).as_object();
        for (const auto& value : page.at("credentials").as_array()) {
            const auto& credential = value.as_object();
            if (json) fmt::print("{}\n", boost::json::serialize(credential));
            table.add({text_at(credential, "id"), text_at(credential, "provider"), text_at(credential, "user"),
                       text_at(credential, "flow"), text_at(credential, "mailboxes"),
                       text_at(credential, "access_token_ends"), text_at(credential, "state"),
                       text_at(credential, "reason")});
        }
        after = text_at(page, "next");
    } while (!after.empty());
    if (!json) fmt::print("{}", table.text());
    return EX_OK;
}

int show(Caller& caller, const std::string& id, bool json) {
    const std::string body = ask(caller, "GET", "/v1/credentials/" + encoded(id));
    if (json) {
        fmt::print("{}", body);
        return EX_OK;
    }
    const auto credential = boost::json::parse(body).as_object();
    Table facts({"CREDENTIAL", id});
    for (const auto* key : {"provider", "user", "flow", "mailboxes", "access_token_ends", "next_attempt",
                            "redirect_uri", "state", "reason", "advice"}) {
        facts.add({key, text_at(credential, key)});
    }
    facts.add({"signed_in", signed_in(credential, "user")});
    facts.add({"signed_in_at", signed_in(credential, "at")});
    if (const auto* expiring = credential.if_contains("expiring")) {
        for (const auto& value : expiring->as_array()) {
            const auto& one = value.as_object();
            facts.add({"expiring", fmt::format("{} ends {}, in {} days: {}", text_at(one, "what"),
                                               text_at(one, "ends_at").substr(0, 10), text_at(one, "days_left"),
                                               text_at(one, "remedy"))});
        }
    }
    fmt::print("{}", facts.text());
    return EX_OK;
}

}  // namespace

int credential_command(Words words) {
    std::string data;
    std::string id;
    bool json = false;
    CLI::App app("Who the mailboxes are read as, and whether their tokens are current.", "rohrpost credential");
    app.require_subcommand(1);
    auto* listing = app.add_subcommand("list", "All credentials, a line each");
    auto* showing = app.add_subcommand("show", "One credential: its state, who has signed in, what to do");
    for (auto* command : {listing, showing}) {
        config::declare_data(*command, data);
        command->add_flag("--json", json, "Print JSON");
    }
    showing->add_option("CREDENTIAL", id, "Its id in the import document")->required();
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    return listing->parsed() ? list(*caller, json) : show(*caller, id, json);
}

}  // namespace cli
