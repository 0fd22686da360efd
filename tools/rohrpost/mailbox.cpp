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

std::string state_of(const boost::json::object& mailbox) {
    const std::string paused = text_at(mailbox, "paused");
    if (!paused.empty()) return "paused: " + paused;
    for (const auto* key : {"problem", "reason", "state"}) {
        const std::string text = text_at(mailbox, key);
        if (!text.empty()) return text;
    }
    return "no daemon runs";
}

int list(Caller& caller, bool json) {
    Table table({"MAILBOX", "ADDRESS", "PROTOCOL", "CONSUMER", "MESSAGES", "LAST PROOF", "STATE"});
    std::string after;
    do {
        const auto page = boost::json::parse(ask(caller, "GET", "/v1/mailboxes?after=" + encoded(after))).as_object();
        for (const auto& value : page.at("mailboxes").as_array()) {
            const auto& mailbox = value.as_object();
            if (json) fmt::print("{}\n", boost::json::serialize(mailbox));
            table.add({text_at(mailbox, "id"), text_at(mailbox, "address"), text_at(mailbox, "protocol"),
                       text_at(mailbox, "consumer"), text_at(mailbox, "messages"), text_at(mailbox, "last_proof"),
                       state_of(mailbox)});
        }
        after = text_at(page, "next");
    } while (!after.empty());
    if (!json) fmt::print("{}", table.text());
    return EX_OK;
}

int show(Caller& caller, const std::string& id, bool json) {
    const std::string body = ask(caller, "GET", "/v1/mailboxes/" + encoded(id));
    if (json) {
        fmt::print("{}", body);
        return EX_OK;
    }
    const auto mailbox = boost::json::parse(body).as_object();
    Table facts({"MAILBOX", id});
    for (const auto* key :
         {"address", "credential", "protocol", "consumer", "messages", "acknowledged", "last_proof"}) {
        facts.add({key, text_at(mailbox, key)});
    }
    facts.add({"state", state_of(mailbox)});
    fmt::print("{}\n", facts.text());
    Table folders({"FOLDER", "UIDVALIDITY", "CURSOR", "PENDING", "FROZEN"});
    for (const auto& value : mailbox.at("folders").as_array()) {
        const auto& folder = value.as_object();
        folders.add({text_at(folder, "name"), text_at(folder, "uid_validity"), text_at(folder, "cursor"),
                     text_at(folder, "pending_count"), text_at(folder, "frozen")});
    }
    fmt::print("{}", folders.text());
    const auto* set_aside = mailbox.if_contains("set_aside");
    if (set_aside == nullptr) return EX_OK;
    Table damaged({"SET ASIDE", "CONSUMER", "UID", "SEGMENT", "SINCE", "REASON"});
    for (const auto& value : set_aside->as_array()) {
        const auto& message = value.as_object();
        damaged.add({text_at(message, "id"), text_at(message, "consumer"), text_at(message, "uid"),
                     text_at(message, "segment"), text_at(message, "at"), text_at(message, "reason")});
    }
    fmt::print("\n{}", damaged.text());
    return EX_OK;
}

}  // namespace

int mailbox_command(Words words) {
    std::string data;
    std::string id;
    std::string reason;
    bool json = false;
    CLI::App app("What is served, and whether.", "rohrpost mailbox");
    app.require_subcommand(1);
    auto* listing = app.add_subcommand("list", "All mailboxes, a line each");
    auto* showing = app.add_subcommand("show", "One mailbox with its folders");
    auto* pausing = app.add_subcommand("pause", "Stop fetching; what was fetched is still handed off");
    auto* resuming = app.add_subcommand("resume", "Fetch again");
    auto* removing = app.add_subcommand(
        "remove", "Serve it no longer; its ledger stays, so an import of the same id doubles nothing");
    for (auto* command : {listing, showing, pausing, resuming, removing}) {
        config::declare_data(*command, data);
        command->add_flag("--json", json, "Print JSON");
        if (command != listing) command->add_option("MAILBOX", id, "Its id")->required();
    }
    pausing->add_option("--reason", reason, "Why, for those who look later");
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    if (listing->parsed()) return list(*caller, json);
    if (showing->parsed()) return show(*caller, id, json);
    const std::string path = "/v1/mailboxes/" + encoded(id);
    const std::string body = removing->parsed()   ? ask(*caller, "DELETE", path)
                             : resuming->parsed() ? ask(*caller, "POST", path + "/resume")
                             : reason.empty()     ? ask(*caller, "POST", path + "/pause")
                                                  : ask(*caller, "POST", path + "/pause?reason=" + encoded(reason));
    if (json) fmt::print("{}", body);
    return EX_OK;
}

}  // namespace cli
