#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/drain.hpp"
#include "tools/rohrpost/exit.hpp"
#include "tools/rohrpost/table.hpp"

namespace cli {
namespace {

/// Which submissions.
struct Wanted {
    std::string mailbox;
    std::string domain;
    std::string state;
    std::uint64_t older_minutes = 0;
    std::uint32_t limit = 0;  // 0: all
    bool json = false;
};

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return {};
    return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

std::string parameters_of(const Wanted& wanted) {
    std::string text;
    if (!wanted.mailbox.empty()) text += "&mailbox=" + encoded(wanted.mailbox);
    if (!wanted.domain.empty()) text += "&domain=" + encoded(wanted.domain);
    if (!wanted.state.empty()) text += "&state=" + encoded(wanted.state);
    if (wanted.older_minutes > 0) {
        const auto before = std::chrono::system_clock::now() - std::chrono::minutes(wanted.older_minutes);
        text += fmt::format("&before_ms={}",
                            std::chrono::duration_cast<std::chrono::milliseconds>(before.time_since_epoch()).count());
    }
    return text;
}

/// Calls `act` for each that fits, page after page.
template <class Act>
void for_each(Caller& caller, const Wanted& wanted, Act act) {
    const std::string parameters = parameters_of(wanted);
    std::string after;
    std::uint64_t seen = 0;
    do {
        const auto page = boost::json::parse(ask(caller, "GET",
                                                 fmt::format("/v1/submissions?limit=1000{}{}", parameters,
                                                             after.empty() ? "" : "&after=" + after)))
                              .as_object();
        for (const auto& value : page.at("submissions").as_array()) {
            if (wanted.limit > 0 && seen++ == wanted.limit) return;
            act(value.as_object());
        }
        after = text_at(page, "next");
    } while (!after.empty());
}

std::string recipients_of(const boost::json::object& submission) {
    const auto* recipients = submission.if_contains("recipients");
    if (recipients == nullptr || recipients->as_array().empty()) return {};
    const auto& list = recipients->as_array();
    std::string text = text_at(list.front().as_object(), "address");
    if (list.size() > 1) text += fmt::format(" +{}", list.size() - 1);
    return text;
}

int list(Caller& caller, const Wanted& wanted) {
    Table table({"ID", "MAILBOX", "STATE", "ACCEPTED", "DUE", "TO", "SIZE", "REASON"});
    for_each(caller, wanted, [&](const boost::json::object& one) {
        if (wanted.json)
            fmt::print("{}\n", boost::json::serialize(one));
        else
            table.add({text_at(one, "id"), text_at(one, "mailbox"), text_at(one, "state"), text_at(one, "accepted_at"),
                       text_at(one, "due"), recipients_of(one), size_text(one.at("bytes").to_number<double>()),
                       text_at(one, "reason")});
    });
    if (!wanted.json) fmt::print("{}", table.text());
    return EX_OK;
}

int show(Caller& caller, const std::string& id, bool json) {
    const std::string body = ask(caller, "GET", "/v1/submissions/" + encoded(id));
    if (json) {
        fmt::print("{}\n", body);
        return EX_OK;
    }
    const auto one = boost::json::parse(body).as_object();
    Table facts({"SUBMISSION", id});
    for (const auto* key : {"mailbox", "from", "subject", "message_id", "state", "reason", "lane", "attempts",
                            "accepted_at", "due", "changed_at", "expires_at", "bytes", "key"})
        facts.add({key, text_at(one, key)});
    fmt::print("{}\n", facts.text());
    Table recipients({"RECIPIENT", "STATE", "SAID"});
    if (const auto* all = one.if_contains("recipients")) {
        for (const auto& value : all->as_array()) {
            const auto& recipient = value.as_object();
            recipients.add({text_at(recipient, "address"), text_at(recipient, "state"), text_at(recipient, "said")});
        }
    }
    fmt::print("{}", recipients.text());
    return EX_OK;
}

/// Piece by piece, so that a large message needs little memory here and in the daemon.
int print_raw(Caller& caller, const std::string& id) {
    for (std::uint64_t offset = 0;;) {
        const std::string piece =
            ask(caller, "GET", fmt::format("/v1/submissions/{}/raw?offset={}", encoded(id), offset));
        if (piece.empty()) return EX_OK;
        if (std::fwrite(piece.data(), 1, piece.size(), stdout) != piece.size())
            throw Failure(EX_IOERR, "standard output cannot be written");
        offset += piece.size();
    }
}

int senders(Caller& caller, bool json) {
    const std::string body = ask(caller, "GET", "/v1/senders");
    if (json) {
        fmt::print("{}\n", body);
        return EX_OK;
    }
    const auto answer = boost::json::parse(body).as_object();
    Table table({"MAILBOX", "STATE", "UNTIL", "CONNECTIONS", "RECIPIENTS TODAY", "REASON"});
    for (const auto& value : answer.at("senders").as_array()) {
        const auto& one = value.as_object();
        table.add({text_at(one, "mailbox"), text_at(one, "state"), text_at(one, "until"), text_at(one, "connections"),
                   text_at(one, "recipients_today"), text_at(one, "reason")});
    }
    Table tenants({"TENANT", "RECIPIENTS TODAY", "OF", "MAILS A MINUTE"});
    for (const auto& value : answer.at("tenants").as_array()) {
        const auto& one = value.as_object();
        tenants.add({text_at(one, "tenant"), text_at(one, "recipients_today"), text_at(one, "recipients_per_day"),
                     text_at(one, "mails_per_minute")});
    }
    if (!answer.at("tenants").as_array().empty()) fmt::print("{}\n", tenants.text());
    const auto& totals = answer.at("totals").as_object();
    fmt::print("{}\nqueued {}, sending {}, in doubt {}, held {}\n", table.text(), text_at(totals, "queued"),
               text_at(totals, "sending"), text_at(totals, "in_doubt"), text_at(totals, "held"));
    return EX_OK;
}

int tell(Caller& caller, const std::string& path, const std::string& reason, bool json) {
    const std::string body = ask(caller, "POST", reason.empty() ? path : path + "?reason=" + encoded(reason));
    if (json) fmt::print("{}\n", body);
    return EX_OK;
}

/// One by its id, or all that fit.
int change(Caller& caller, const std::string& act, const std::vector<std::string>& ids, const Wanted& wanted,
           bool all) {
    std::vector<std::string> chosen = ids;
    if (all) for_each(caller, wanted, [&](const boost::json::object& one) { chosen.push_back(text_at(one, "id")); });
    std::size_t done = 0, refused = 0;
    for (const auto& id : chosen) {
        control::Request request;
        request.method = "POST";
        request.target = fmt::format("/v1/submissions/{}/{}", encoded(id), act);
        const auto response = caller.call(std::move(request));
        if (response.status == 409 && all) {
            ++refused;  // it has moved on meanwhile, or this makes no sense for it
            continue;
        }
        const std::string body = accepted(response);
        if (wanted.json) fmt::print("{}\n", body);
        ++done;
    }
    if (all) fmt::print(stderr, "{}: {} done, {} left as they were\n", act, done, refused);
    return EX_OK;
}

}  // namespace

int queue_command(Words words) {
    std::string data, id, mailbox;
    DrainWish drained;
    bool at_once = false;
    std::vector<std::string> ids;
    Wanted wanted;
    bool all = false;
    CLI::App app("What waits to be sent, and what has become of it.", "rohrpost queue");
    app.require_subcommand(1);
    auto* listing = app.add_subcommand("list", "What waits, a line each; with --state all what is settled as well");
    auto* showing = app.add_subcommand("show", "One submission with its recipients");
    auto* printing = app.add_subcommand("raw", "Print the message as it is sent");
    auto* telling = app.add_subcommand("senders", "What each mailbox that sends is doing, and why not");
    auto* holding = app.add_subcommand("hold", "Do not send until it is released");
    auto* releasing =
        app.add_subcommand("release", "Send what is held, or in doubt though it may arrive a second time");
    auto* retrying = app.add_subcommand("retry", "Try again now instead of when it is due");
    auto* cancelling = app.add_subcommand("cancel", "Never send it");
    auto* suspending = app.add_subcommand("suspend", "Send nothing of a mailbox for now; it is fetched all the same");
    auto* resuming = app.add_subcommand("resume", "Send its mail again");
    auto* draining = app.add_subcommand(
        "drain", "Take no more mail in from applications (451, 503), and wait until what there is has left");
    auto* opening = app.add_subcommand("open", "Take mail in again after a drain");
    const std::array acts{holding, releasing, retrying, cancelling};
    for (auto* command : {listing, showing, printing, telling, holding, releasing, retrying, cancelling, suspending,
                          resuming, draining, opening}) {
        config::declare_data(*command, data);
        if (command != printing) command->add_flag("--json", wanted.json, "Print JSON");
    }
    for (auto* command : {listing, holding, releasing, retrying, cancelling}) {
        command->add_option("--mailbox", wanted.mailbox, "Only of this mailbox");
        command->add_option("--domain", wanted.domain, "Only with a recipient in this domain");
        command->add_option("--older-than", wanted.older_minutes, "Only accepted more than so many minutes ago");
        command->add_option("--state", wanted.state, "Only in this state: queued, sending, in_doubt, held; or all");
    }
    listing->add_option("--limit", wanted.limit, "At most so many");
    for (auto* command : {showing, printing}) command->add_option("ID", id, "Its id")->required();
    for (auto* command : {suspending, resuming}) command->add_option("MAILBOX", mailbox, "Its id")->required();
    for (auto* command : {suspending, draining})
        command->add_option("--reason", drained.reason, "Why, for those who look later");
    draining->add_flag("--no-wait", at_once, "Only let no more mail in");
    for (auto* command : acts) {
        command->add_option("ID", ids, "Their ids");
        command->add_flag("--all", all, "All that fit --mailbox, --domain, --older-than and --state");
    }
    if (!parse(app, std::move(words))) return EX_OK;
    const auto caller = caller_for(data, {});
    if (listing->parsed()) return list(*caller, wanted);
    if (showing->parsed()) return show(*caller, id, wanted.json);
    if (printing->parsed()) return print_raw(*caller, id);
    if (telling->parsed()) return senders(*caller, wanted.json);
    if (draining->parsed()) {
        drained.wait = !at_once;
        drained.json = wanted.json;
        return drain(*caller, drained);
    }
    if (opening->parsed()) return tell(*caller, "/v1/intake/open", "", wanted.json);
    const std::string sender = "/v1/senders/" + encoded(mailbox);
    if (suspending->parsed()) return tell(*caller, sender + "/suspend", drained.reason, wanted.json);
    if (resuming->parsed()) return tell(*caller, sender + "/resume", "", wanted.json);
    if (ids.empty() == !all) throw Failure(EX_USAGE, "name ids, or choose with --all and its filters (not both)");
    for (auto* command : acts) {
        if (command->parsed()) return change(*caller, command->get_name(), ids, wanted, all);
    }
    return EX_OK;
}

}  // namespace cli
