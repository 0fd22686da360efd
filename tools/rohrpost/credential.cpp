#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/rows.hpp"

namespace cli {
namespace {

std::string signed_in(const boost::json::object& credential, std::string_view key) {
    const auto* who = credential.if_contains("signed_in");
    return who == nullptr || !who->is_object() ? std::string() : text_at(who->get_object(), key);
}

std::vector<std::string> cells_of(const boost::json::object& credential) {
    std::vector<std::string> cells;
    for (const auto* key : {"id", "provider", "user", "flow", "mailboxes", "access_token_ends", "state", "reason"}) {
        cells.push_back(text_at(credential, key));
    }
    return cells;
}

std::string text_of(const boost::json::object& credential) {
    Table facts({"CREDENTIAL", text_at(credential, "id")});
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
    return facts.text();
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
    if (showing->parsed()) return show_row(*caller, "credentials", id, text_of, json);
    Table table({"CREDENTIAL", "PROVIDER", "USER", "FLOW", "MAILBOXES", "TOKEN ENDS", "STATE", "REASON"});
    return list_rows(*caller, "credentials", std::move(table), cells_of, json);
}

}  // namespace cli
