#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"

namespace cli {

int remove_command(Words words) {
    std::string data, kind, id;
    bool json = false;
    CLI::App app(
        "Takes something away that was imported, with its secrets and tokens. What others still refer to stays. "
        "(Mailboxes: rohrpost mailbox remove.)",
        "rohrpost remove");
    config::declare_data(app, data);
    app.add_option("KIND", kind, "provider, credential, consumer, webhook or alarm")
        ->required()
        ->check(CLI::IsMember({"provider", "credential", "consumer", "webhook", "alarm"}));
    app.add_option("ID", id, "Its id")->required();
    app.add_flag("--json", json, "Print JSON");
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    const std::string body = ask(*caller, "DELETE", fmt::format("/v1/{}s/{}", kind, encoded(id)));
    if (json) fmt::print("{}\n", body);
    return EX_OK;
}

}  // namespace cli
