#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/table.hpp"

namespace cli {
namespace {

constexpr std::chrono::seconds between_looks{2};

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto& value = object.at(key);
    return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

/// Upper bounds of half and of 99 of 100, in milliseconds.
std::string span_text(const boost::json::object& facts, const std::string& name) {
    const auto millis = [&](const std::string& share) { return facts.at(name + share).to_number<double>() * 1000; };
    return fmt::format("half within {:.3g} ms, 99 % within {:.3g} ms", millis("_p50_seconds"), millis("_p99_seconds"));
}

std::string shown(const boost::json::object& status) {
    Table table({"DAEMON", text_at(status, "daemon")});
    const auto& store = status.at("store").as_object();
    for (const auto* key : {"mailboxes", "messages", "pending", "set_aside", "segments"})
        table.add({key, text_at(store, key)});
    table.add({"parked folders", text_at(status, "parked_folders")});
    table.add({"unacknowledged", size_text(store.at("unacknowledged_bytes").to_number<double>())});
    table.add({"on disk", size_text(store.at("segment_bytes").to_number<double>())});
    const auto* live = status.if_contains("live");
    if (live == nullptr) return table.text();
    const auto& facts = live->as_object();
    table.add({"started", text_at(facts, "started_at")});
    table.add({"sessions", fmt::format("{}, of them {} wait for news", text_at(facts, "sessions"),
                                       text_at(facts, "idle_sessions"))});
    table.add({"served", text_at(facts, "mailboxes_served")});
    table.add({"not served", text_at(facts, "mailboxes_not_served")});
    if (text_at(facts, "audited_mailboxes") != "0") {
        table.add({"audited", fmt::format("{} mailboxes since {}, {} messages unaccounted for",
                                          text_at(facts, "audited_mailboxes"), text_at(facts, "oldest_audit"),
                                          text_at(facts, "unaccounted_messages"))});
    }
    if (text_at(facts, "shadow_mailboxes") != "0") {
        table.add(
            {"shadows", fmt::format("{} mailboxes of other products, which missed {} messages so far",
                                    text_at(facts, "shadow_mailboxes"), text_at(facts, "shadow_missed_messages"))});
    }
    table.add({"rate", fmt::format("{:.1f} messages/s, {}/s", facts.at("messages_per_second").to_number<double>(),
                                   size_text(facts.at("bytes_per_second").to_number<double>()))});
    table.add({"stored, handed off", fmt::format("{}, {} since the start", text_at(facts, "messages_stored"),
                                                 text_at(facts, "messages_delivered"))});
    table.add({"arrival to durable", span_text(facts, "arrival_to_durable")});
    table.add({"durable to handed off", span_text(facts, "durable_to_delivered")});
    for (const auto& value : facts.at("consumers").as_array()) {
        const auto& consumer = value.as_object();
        table.add(
            {"consumer " + text_at(consumer, "id"),
             fmt::format("{} {}: {} mails, {} mailboxes waiting", text_at(consumer, "kind"), text_at(consumer, "place"),
                         text_at(consumer, "delivered"), text_at(consumer, "waiting_mailboxes"))});
        if (!text_at(consumer, "reason").empty()) table.add({"", text_at(consumer, "reason")});
    }
    for (const auto& value : facts.at("expiring").as_array()) {
        const auto& expiring = value.as_object();
        table.add({"expiring", fmt::format("{} of {}: ends {}, in {} days", text_at(expiring, "what"),
                                           text_at(expiring, "credential"), text_at(expiring, "ends_at").substr(0, 10),
                                           text_at(expiring, "days_left"))});
        table.add({"", text_at(expiring, "remedy")});
    }
    const auto& committer = status.at("committer").as_object();
    table.add({"commit queue", text_at(committer, "queue_length")});
    if (committer.at("disk_full").as_bool()) table.add({"disk", "full: intake pauses until there is room"});
    if (committer.contains("stopped_by")) table.add({"store", "stopped: " + text_at(committer, "stopped_by")});
    return table.text();
}

}  // namespace

int status_command(Words words) {
    std::string data;
    bool json = false;
    bool watch = false;
    CLI::App app("How the store and, when it runs, the daemon are doing.", "rohrpost status");
    config::declare_data(app, data);
    app.add_flag("--json", json, "Print one JSON document (with --watch one a line)");
    app.add_flag("--watch", watch, "Again every 2 seconds, until interrupted");
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    if (watch && !caller->daemon_runs())
        throw Failure(EX_UNAVAILABLE, "no daemon runs, so nothing would change: start it with rohrpost run");
    for (;;) {
        const std::string body = ask(*caller, "GET", "/v1/status");
        if (watch && !json) fmt::print("\x1b[H\x1b[2J");
        fmt::print("{}", json ? body : shown(boost::json::parse(body).as_object()));
        if (!watch) return EX_OK;
        if (std::fflush(stdout) != 0) throw Failure(EX_IOERR, "standard output cannot be written");
        std::this_thread::sleep_for(between_looks);
    }
}

}  // namespace cli
