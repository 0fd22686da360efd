#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/table.hpp"

namespace cli {
namespace {

constexpr std::chrono::milliseconds between_looks{500};

struct Wanted {
    std::string consumer;
    std::string mailbox;
    std::uint32_t limit = 100;
    bool wait = false;
    bool json = false;

    [[nodiscard]] std::string parameters() const {
        std::string text = consumer.empty() ? "" : "&consumer=" + encoded(consumer);
        if (!mailbox.empty()) text += "&mailbox=" + encoded(mailbox);
        return text;
    }
};

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto& value = object.at(key);
    return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

int list(Caller& caller, const Wanted& wanted) {
    const std::string body = ask(caller, "GET", fmt::format("/v1/inbox?limit={}{}", wanted.limit, wanted.parameters()));
    const auto answer = boost::json::parse(body).as_object();
    Table table({"ID", "MAILBOX", "SEQ", "RECEIVED", "SIZE"});
    for (const auto& value : answer.at("messages").as_array()) {
        const auto& message = value.as_object();
        if (wanted.json) fmt::print("{}\n", boost::json::serialize(message));
        table.add({text_at(message, "id"), text_at(message, "mailbox"), text_at(message, "seq"),
                   text_at(message, "received_at"), size_text(message.at("bytes").to_number<double>())});
    }
    if (!wanted.json) fmt::print("{}", table.text());
    return EX_OK;
}

/// The next message's facts; waits for one when that is wanted.
boost::json::object next_of(Caller& caller, const Wanted& wanted) {
    const std::string parameters = wanted.parameters();
    const std::string target = parameters.empty() ? "/v1/inbox/next" : "/v1/inbox/next?" + parameters.substr(1);
    for (;;) {
        const std::string body = ask(caller, "GET", target);
        if (!body.empty()) return boost::json::parse(body).as_object();
        if (!wanted.wait) throw Failure(EX_NOINPUT, "nothing is waiting (--wait waits for the next message)");
        if (!caller.daemon_runs())
            throw Failure(EX_UNAVAILABLE,
                          "nothing is waiting, and no daemon runs that could fetch more: start it with rohrpost run");
        std::this_thread::sleep_for(between_looks);
    }
}

/// Piece by piece, so that a large message needs little memory here and in the daemon.
void print_raw(Caller& caller, const std::string& id) {
    std::uint64_t offset = 0;
    for (;;) {
        const std::string piece = ask(caller, "GET", fmt::format("/v1/messages/{}/raw?offset={}", id, offset));
        if (piece.empty()) return;
        if (std::fwrite(piece.data(), 1, piece.size(), stdout) != piece.size())
            throw Failure(EX_IOERR, "standard output cannot be written");
        offset += piece.size();
    }
}

/// How a message is shown.
struct Shown {
    std::string id;
    bool raw = false;
    bool json = false;
    std::optional<std::uint32_t> part;
    std::string output;  // empty: standard output
};

void write_to(const std::string& path, const std::string& bytes) {
    std::FILE* file = path.empty() ? stdout : std::fopen(path.c_str(), "wbx");
    if (file == nullptr)
        throw Failure(EX_CANTCREAT, fmt::format("{}: {} (a file that exists is not overwritten)", path,
                                                std::generic_category().message(errno)));
    const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    const bool closed = path.empty() ? std::fflush(file) == 0 : std::fclose(file) == 0;
    if (!written || !closed)
        throw Failure(EX_IOERR, fmt::format("{} cannot be written", path.empty() ? "standard output" : path));
}

int show(Caller& caller, const Shown& shown) {
    const std::string target = "/v1/messages/" + encoded(shown.id);
    if (shown.json)
        fmt::print("{}", ask(caller, "GET", target));
    else if (shown.part)
        write_to(shown.output, ask(caller, "GET", fmt::format("{}/parts/{}", target, *shown.part)));
    else
        print_raw(caller, encoded(shown.id));
    return EX_OK;
}

int next(Caller& caller, const Wanted& wanted) {
    const auto message = next_of(caller, wanted);
    if (wanted.json) {
        fmt::print("{}\n", boost::json::serialize(message));
    } else {
        print_raw(caller, text_at(message, "id"));
    }
    return EX_OK;
}

/// All pages; `each` gets every message.
template <class Each>
void for_each_quarantined(Caller& caller, const Wanted& wanted, const Each& each) {
    std::string after;
    do {
        const std::string body = ask(caller, "GET",
                                     fmt::format("/v1/inbox/quarantine?limit=1000{}{}", wanted.parameters(),
                                                 after.empty() ? "" : "&after=" + encoded(after)));
        const auto answer = boost::json::parse(body).as_object();
        for (const auto& value : answer.at("messages").as_array()) each(value.as_object());
        after = answer.contains("next") ? text_at(answer, "next") : std::string();
    } while (!after.empty());
}

int list_quarantine(Caller& caller, const Wanted& wanted) {
    Table table({"ID", "CONSUMER", "MAILBOX", "SEQ", "SINCE", "REASON"});
    for_each_quarantined(caller, wanted, [&](const boost::json::object& message) {
        if (wanted.json) fmt::print("{}\n", boost::json::serialize(message));
        table.add({text_at(message, "id"), text_at(message, "consumer"), text_at(message, "mailbox"),
                   text_at(message, "seq"), text_at(message, "at"), text_at(message, "reason")});
    });
    if (!wanted.json) fmt::print("{}", table.text());
    return EX_OK;
}

/// One message, or without an id all that are wanted.
int act_on_quarantined(Caller& caller, const Wanted& wanted, std::string_view act, const std::string& id) {
    const auto act_on = [&](const std::string& which, const std::string& consumer) {
        const std::string body = ask(caller, "POST",
                                     fmt::format("/v1/inbox/quarantine/{}/{}{}", encoded(which), act,
                                                 consumer.empty() ? "" : "?consumer=" + encoded(consumer)));
        if (wanted.json) fmt::print("{}", body);
    };
    if (!id.empty()) {
        act_on(id, wanted.consumer);
        return EX_OK;
    }
    std::vector<std::pair<std::string, std::string>> all;  // before anything is changed
    for_each_quarantined(caller, wanted, [&all](const boost::json::object& message) {
        all.emplace_back(text_at(message, "id"), text_at(message, "consumer"));
    });
    for (const auto& [which, consumer] : all) act_on(which, consumer);
    return EX_OK;
}

/// What is set aside, and what becomes of it.
class QuarantineCommands {
public:
    QuarantineCommands(CLI::App& inbox, std::string& data, Wanted& wanted) {
        auto* quarantine =
            inbox.add_subcommand("quarantine", "Mails that consumers could not be given, with the reason");
        quarantine->require_subcommand(1);
        list_ = quarantine->add_subcommand("list", "All of them");
        show_ = quarantine->add_subcommand("show", "Print one by its id as it was received");
        retry_ = quarantine->add_subcommand("retry", "Hand it off again, out of order");
        drop_ = quarantine->add_subcommand("drop", "Forget that it was set aside: it counts as acknowledged");
        for (auto* command : {list_, show_, retry_, drop_}) config::declare_data(*command, data);
        for (auto* command : {list_, retry_, drop_}) {
            command->add_option("--consumer", wanted.consumer, "Only what this consumer set aside");
            command->add_option("--mailbox", wanted.mailbox, "Only this mailbox");
            command->add_flag("--json", wanted.json, "Print JSON");
        }
        show_->add_option("ID", id_, "The message's id")->required();
        for (auto* command : {retry_, drop_}) {
            auto* id = command->add_option("ID", id_, "The message's id");
            command->add_flag("--all", all_, "All that --consumer and --mailbox leave")->excludes(id);
        }
    }
    /// nullopt: none of them was given.
    std::optional<int> run(Caller& caller, const Wanted& wanted) const {
        if (list_->parsed()) return list_quarantine(caller, wanted);
        if (show_->parsed()) {
            print_raw(caller, encoded(id_));
            return EX_OK;
        }
        if (!retry_->parsed() && !drop_->parsed()) return std::nullopt;
        if (id_.empty() && !all_) throw Failure(EX_USAGE, "name a message by its id, or say --all");
        return act_on_quarantined(caller, wanted, retry_->parsed() ? "retry" : "drop", id_);
    }

private:
    CLI::App* list_ = nullptr;
    CLI::App* show_ = nullptr;
    CLI::App* retry_ = nullptr;
    CLI::App* drop_ = nullptr;
    std::string id_;
    bool all_ = false;
};

}  // namespace

int inbox_command(Words words) {
    std::string data;
    std::string id;
    Wanted wanted;
    Shown shown;
    bool through = false;
    CLI::App app(
        "Mail of a pull consumer. next shows the oldest unacknowledged message again and again until ack: read, "
        "keep it safe, then acknowledge. quarantine: what any consumer set aside.",
        "rohrpost inbox");
    app.require_subcommand(1);
    auto* listing = app.add_subcommand("list", "What is waiting, oldest first in each mailbox");
    auto* nexting = app.add_subcommand("next", "Print the oldest unacknowledged message as it was received");
    auto* reading = app.add_subcommand(
        "show", "Print a message by its id as it was received, what it says as JSON, or one of its parts");
    auto* acking = app.add_subcommand("ack", "Acknowledge a message: it was taken and is not shown again");
    for (auto* command : {listing, nexting, reading, acking}) {
        config::declare_data(*command, data);
        if (command != reading)
            command->add_option("--consumer", wanted.consumer,
                                "The pull consumer; may be left out when there is only one");
        if (command != reading)
            command->add_flag("--json", wanted.json, "Print JSON: id, mailbox, seq, received_at, bytes");
    }
    for (auto* command : {listing, nexting}) command->add_option("--mailbox", wanted.mailbox, "Only this mailbox");
    for (auto* command : {reading, acking}) command->add_option("ID", id, "The message's id")->required();
    auto* raw = reading->add_flag("--raw", shown.raw, "As it was received (this is the default)");
    auto* json = reading->add_flag("--json", shown.json, "Headers, texts and attachments, decoded: docs/view.md");
    auto* part = reading->add_option("--part", shown.part, "The decoded bytes of the part with this number");
    reading->add_option("--output", shown.output, "Write the part to this file, which must not exist")->needs(part);
    json->excludes(raw)->excludes(part);
    part->excludes(raw);
    listing->add_option("--limit", wanted.limit, "At most so many messages")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    nexting->add_flag("--wait", wanted.wait, "Wait until there is one");
    acking->add_flag("--through", through,
                     "Together with all before it in its mailbox; without, only the oldest is taken");
    QuarantineCommands quarantine(app, data, wanted);
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    if (const auto done = quarantine.run(*caller, wanted)) return *done;
    if (listing->parsed()) return list(*caller, wanted);
    if (nexting->parsed()) return next(*caller, wanted);
    if (reading->parsed()) {
        shown.id = id;
        return show(*caller, shown);
    }
    const std::string parameters = wanted.parameters() + (through ? "&through=yes" : "");
    const std::string target = fmt::format("/v1/messages/{}/acknowledge", encoded(id));
    const std::string body = ask(*caller, "POST", parameters.empty() ? target : target + '?' + parameters.substr(1));
    if (wanted.json) fmt::print("{}", body);
    return EX_OK;
}

}  // namespace cli
