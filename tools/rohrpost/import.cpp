#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <filesystem>

#include "engine/config/flags.hpp"
#include "engine/config/import.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/input.hpp"

namespace cli {
namespace {

/// Each fault is a line of its own on standard error.
int report(const config::Faults& faults) {
    for (const auto& fault : faults.list()) fmt::print(stderr, "{}\n", config::text_of(fault));
    if (faults.left_out() > 0) fmt::print(stderr, "… and {} more\n", faults.left_out());
    const std::size_t count = faults.list().size() + faults.left_out();
    throw Failure(EX_DATAERR,
                  fmt::format("the document has {} fault{}; nothing was imported", count, count == 1 ? "" : "s"));
}

/// What is there, as far as the rights of references and sealed secrets go.
config::Document there(Caller& caller) {
    auto reading = config::read_document(ask(caller, "GET", "/v1/configuration"), config::NoSources());
    if (!reading.faults.empty())
        throw Failure(EX_SOFTWARE,
                      "the store's configuration cannot be read: " + config::text_of(reading.faults.list().front()));
    return std::move(reading.document);
}

}  // namespace

int import_command(Words words) {
    std::string data;
    std::string file;
    Needs needs{.new_store = true};
    bool json = false;
    CLI::App app(
        "Takes in providers, credentials, mailboxes and consumers. What is there already and not named stays; "
        "with any fault nothing is imported. Secrets are sealed into the store.",
        "rohrpost import");
    config::declare_data(app, data);
    app.add_option("FILE", file, "The import document (JSON); - reads standard input")->required();
    app.add_option("--key-file", needs.key_file, "The key secrets are sealed with, when no daemon runs")
        ->type_name("FILE")
        ->default_str("DIR/key");
    app.add_flag("--json", json, "Print what changed as JSON");
    if (!parse(app, std::move(words))) return EX_OK;

    const std::string text = text_in(file);
    const auto folder = file == "-" ? std::filesystem::current_path() : std::filesystem::absolute(file).parent_path();
    auto reading = config::read_document(text, config::LocalSources(folder));
    std::error_code unknown;
    if (!std::filesystem::exists(std::filesystem::path(data) / "ledger.db", unknown)) {
        config::Faults faults = reading.faults;  // no store is made for a document with faults
        config::check(reading.document, {}, faults);
        if (!faults.empty()) report(faults);
    }
    const auto caller = caller_for(data, needs);
    config::check(reading.document, there(*caller), reading.faults);
    if (!reading.faults.empty()) report(reading.faults);
    const Secret document = config::with_secrets(reading.document);
    control::Request request{.method = "PUT", .target = "/v1/configuration"};
    request.body = document.reveal();
    const std::string body = accepted(caller->call(std::move(request)));
    if (json) {
        fmt::print("{}", body);
        return EX_OK;
    }
    const auto answer = boost::json::parse(body);
    const auto& changed = answer.at("changed").as_object();
    std::string list;
    for (const auto& entry : changed)
        list += fmt::format("{}{} {}", list.empty() ? "" : ", ", entry.value().to_number<std::size_t>(),
                            std::string_view(entry.key()));
    fmt::print("imported; new or changed: {}\n", list);
    return EX_OK;
}

}  // namespace cli
