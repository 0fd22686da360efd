#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/parse.hpp>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/audit.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/rows.hpp"
#include "tools/rohrpost/shadow.hpp"

namespace cli {
namespace {

std::string state_of(const boost::json::object& mailbox) {
    const std::string paused = text_at(mailbox, "paused");
    if (!paused.empty()) return "paused: " + paused;
    for (const auto* key : {"problem", "reason", "state"}) {
        const std::string text = text_at(mailbox, key);
        if (!text.empty()) return text;
    }
    return "no daemon runs";
}

std::vector<std::string> cells_of(const boost::json::object& mailbox) {
    std::vector<std::string> cells;
    for (const auto* key : {"id", "address", "protocol", "consumer", "messages", "last_proof"}) {
        const bool nobody = mailbox.contains("shadow") && std::string_view(key) == "consumer";
        cells.push_back(nobody ? "(shadow)" : text_at(mailbox, key));
    }
    cells.push_back(state_of(mailbox));
    return cells;
}

std::string renumbered_text(const boost::json::object& folder, const boost::json::object& changed) {
    auto text = fmt::format("{}: UIDVALIDITY of {} changed from {} to {}: ", text_at(changed, "at"),
                            text_at(folder, "name"), text_at(changed, "before"), text_at(changed, "now"));
    if (!changed.at("compared").as_bool()) return text + "being compared with the ledger";
    return text +
           fmt::format("{} messages recognised, {} new", text_at(changed, "recognised"), text_at(changed, "new"));
}

const boost::json::object* object_at(const boost::json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found == nullptr ? nullptr : found->if_object();
}

/// "317 mails, oldest 2019-03-02, 300 not taken"
std::string first_contact_text(const boost::json::object& folder) {
    const auto* contact = object_at(folder, "first_contact");
    if (contact == nullptr) return {};
    std::string text = text_at(*contact, "mails") + " mails";
    if (contact->contains("oldest")) text += ", oldest " + text_at(*contact, "oldest");
    if (const auto passed = text_at(*contact, "passed_over"); passed != "0") text += ", " + passed + " not taken";
    return text;
}

std::string backfill_text(const boost::json::object& folder) {
    const auto* backfill = object_at(folder, "backfill");
    if (backfill == nullptr) return {};
    return fmt::format("from {}: {}, {} of {}", text_at(*backfill, "from"), text_at(*backfill, "state"),
                       text_at(*backfill, "taken"), text_at(*backfill, "found"));
}

/// What sessions noted about the folders; nothing when they noted nothing.
std::string notes_text(const boost::json::object& mailbox) {
    Table notes({"FOLDER", "AT FIRST", "BACKFILL", "AFTER: WAITS BECAUSE"});
    bool any = false;
    for (const auto& value : mailbox.at("folders").as_array()) {
        const auto& folder = value.as_object();
        const auto* after = object_at(folder, "after");
        std::vector<std::string> cells{text_at(folder, "name"), first_contact_text(folder), backfill_text(folder),
                                       after == nullptr ? std::string() : text_at(*after, "parked")};
        any = any || std::any_of(cells.begin() + 1, cells.end(), [](const std::string& cell) { return !cell.empty(); });
        notes.add(std::move(cells));
    }
    return any ? '\n' + notes.text() : std::string();
}

/// "of another product: taken is seen, grace 15m, missed so far 3"
std::string shadow_text(const boost::json::object& shadow) {
    auto text =
        fmt::format("of another product: taken is {}, grace {}", text_at(shadow, "taken"), text_at(shadow, "grace"));
    if (shadow.contains("missed")) text += ", missed so far " + text_at(shadow, "missed");
    return text;
}

/// Folder by folder: how long it has been observed.
std::string observed_text(const boost::json::object& mailbox) {
    Table folders({"FOLDER", "OBSERVED SINCE", "LAST LOOK"});
    for (const auto& value : mailbox.at("folders").as_array()) {
        const auto& folder = value.as_object();
        const auto* observed = object_at(folder, "observed");
        if (observed != nullptr)
            folders.add({text_at(folder, "name"), text_at(*observed, "since"), text_at(*observed, "looked_at")});
    }
    return '\n' + folders.text();
}

std::string text_of(const boost::json::object& mailbox) {
    Table facts({"MAILBOX", text_at(mailbox, "id")});
    for (const auto* key :
         {"address", "credential", "protocol", "consumer", "messages", "acknowledged", "last_proof"}) {
        facts.add({key, text_at(mailbox, key)});
    }
    if (const auto* shadow = object_at(mailbox, "shadow")) facts.add({"shadow", shadow_text(*shadow)});
    facts.add({"state", state_of(mailbox)});
    if (mailbox.contains("hand_off_waits")) facts.add({"hand-off", text_at(mailbox, "hand_off_waits")});
    if (mailbox.contains("next_attempt")) facts.add({"next", text_at(mailbox, "next_attempt")});
    const auto* audit = mailbox.if_contains("audit");
    if (audit != nullptr) {
        const auto& last = audit->as_object();
        facts.add({"audited", fmt::format("{}: {} messages unknown", text_at(last, "at"), text_at(last, "unknown"))});
    }
    if (mailbox.contains("shadow")) return facts.text() + observed_text(mailbox);
    for (const auto& value : mailbox.at("folders").as_array()) {
        const auto* changed = value.as_object().if_contains("uid_validity_changed");
        if (changed != nullptr) facts.add({"renumbered", renumbered_text(value.as_object(), changed->as_object())});
    }
    Table folders({"FOLDER", "UIDVALIDITY", "CURSOR", "PENDING", "FROZEN"});
    for (const auto& value : mailbox.at("folders").as_array()) {
        const auto& folder = value.as_object();
        folders.add({text_at(folder, "name"), text_at(folder, "uid_validity"), text_at(folder, "cursor"),
                     text_at(folder, "pending_count"), text_at(folder, "frozen")});
    }
    const auto text = facts.text() + '\n' + folders.text() + notes_text(mailbox);
    const auto* set_aside = mailbox.if_contains("set_aside");
    if (set_aside == nullptr) return text;
    Table damaged({"SET ASIDE", "CONSUMER", "UID", "SEGMENT", "SINCE", "REASON"});
    for (const auto& value : set_aside->as_array()) {
        const auto& message = value.as_object();
        damaged.add({text_at(message, "id"), text_at(message, "consumer"), text_at(message, "uid"),
                     text_at(message, "segment"), text_at(message, "at"), text_at(message, "reason")});
    }
    return text + '\n' + damaged.text();
}

/// Folder by folder: how far it is, and what is in the way.
std::string after_text(const boost::json::object& shown) {
    Table folders({"FOLDER", "AFTER", "DUE", "WAITING", "PARKED", "NEXT ATTEMPT"});
    for (const auto& value : shown.at("folders").as_array()) {
        const auto& folder = value.as_object();
        folders.add({text_at(folder, "name"), text_at(shown, "done_as"), text_at(folder, "due"),
                     text_at(folder, "waiting"), text_at(folder, "parked"), text_at(folder, "next_attempt")});
    }
    return folders.text();
}

/// Mail by mail: what would be done, and why it is not done yet.
std::string dry_run_text(const boost::json::object& shown) {
    Table mails({"FOLDER", "UID", "RECEIVED", "AFTER", "WAITS"});
    for (const auto& value : shown.at("folders").as_array()) {
        const auto& folder = value.as_object();
        for (const auto& each : folder.at("mails").as_array()) {
            const auto& mail = each.as_object();
            const auto waits = text_at(mail, "waits");
            mails.add({text_at(folder, "name"), text_at(mail, "uid"), text_at(mail, "received_at"),
                       text_at(shown, "done_as"), waits.empty() ? "due" : waits});
        }
    }
    const bool more = shown.at("more").as_bool();
    return mails.text() + (more ? "there may be more: these are the first ones\n" : "");
}

}  // namespace

int mailbox_command(Words words) {
    std::string data;
    std::string id;
    std::string reason;
    std::string policy;
    std::string from;
    std::string folder;
    bool cancel = false;
    bool dry_run = false;
    bool json = false;
    CLI::App app("What is served, and whether.", "rohrpost mailbox");
    app.require_subcommand(1);
    auto* listing = app.add_subcommand("list", "All mailboxes, a line each");
    auto* showing = app.add_subcommand("show", "One mailbox with its folders");
    auto* pausing = app.add_subcommand("pause", "Stop fetching and sending; what was fetched is still handed off");
    auto* resuming = app.add_subcommand("resume", "Fetch and send again");
    auto* removing = app.add_subcommand(
        "remove", "Serve it no longer; its ledger stays, so an import of the same id doubles nothing");
    auto* dealing = app.add_subcommand(
        "after", "What is to be done at the server with mail that was taken in (\"after\" of the mailbox)");
    auto* filling = app.add_subcommand(
        "backfill", "Fetch mail from a day on that is older than the first contact, beside what arrives");
    auto* replaying = app.add_subcommand(
        "replay", "Hand mail off again from a seq on, as possible repeats; nothing happens at the mail server");
    std::int64_t replay_from = 0;
    for (auto* command : {listing, showing, pausing, resuming, removing, dealing, filling, replaying}) {
        config::declare_data(*command, data);
        command->add_flag("--json", json, "Print JSON");
        if (command != listing) command->add_option("MAILBOX", id, "Its id")->required();
    }
    auto* auditing = app.add_subcommand(
        "audit", "Compare mailboxes with their servers: is every message accounted for? What is unknown is fetched");
    AuditWish wish;
    int patience = static_cast<int>(wish.patience.count());
    config::declare_data(*auditing, data);
    auditing->add_flag("--json", wish.json, "Print JSON, a line for each mailbox");
    auditing->add_option("--wait", patience, "Seconds that it may take")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    auditing->add_option("MAILBOX", wish.ids, "Their ids; none: all that are not paused");
    auditing->footer(
        "Exit code: 0 every message is accounted for, 65 some are not, 75 not everything could be compared.");
    auto* shadowing = app.add_subcommand(
        "shadow", "What another product missed, doubled or took late in a mailbox that is observed (\"shadow\")");
    ShadowWish observed;
    config::declare_data(*shadowing, data);
    shadowing->add_flag("--json", observed.json, "Print JSON");
    shadowing->add_option("MAILBOX", observed.mailbox, "Its id")->required();
    shadowing
        ->add_option("--list", observed.lists,
                     "What the other product delivered: a file with a Message-ID a line and, behind it, the time if it "
                     "is known; an mbox file; a Maildir; - for standard input. May be given several times")
        ->type_name("FILE|DIR|-")
        ->allow_extra_args(false);
    shadowing->add_option("--since", observed.since, "Leave out what arrived before this day (UTC) or time")
        ->type_name("DAY");
    shadowing
        ->add_option("--until", observed.until,
                     "With a list: when it was made; what arrived later is not missed (default: now)")
        ->type_name("TIME");
    shadowing->footer(
        "Exit code: 0 nothing was missed or doubled, 65 something was, 66 there is no such shadow mailbox, 75 nothing "
        "was observed so far.");
    replaying->add_option("--from", replay_from, "The first seq, as the API and consumers show it")
        ->check(CLI::PositiveNumber)
        ->type_name("SEQ")
        ->required();
    pausing->add_option("--reason", reason, "Why, for those who look later");
    dealing->add_flag("--dry-run", dry_run, "List each mail with what would be done, and what it still waits for");
    dealing->add_option("--policy", policy, "As if \"after\" were this: seen, delete, delete:30d, move:FOLDER");
    auto* day = filling->add_option("--from", from, "The day, like 2026-01-31; mailbox show tells how far it is");
    filling->add_option("--folder", folder, "Of this folder alone")->needs(day);
    filling->add_flag("--cancel", cancel, "End it; what was fetched stays")->excludes(day);
    if (!parse(app, std::move(words))) return EX_OK;
    if (filling->parsed() && from.empty() && !cancel) throw Failure(EX_USAGE, "expected --from DAY, or --cancel");
    const auto caller = caller_for(data, {});
    if (listing->parsed()) {
        Table table({"MAILBOX", "ADDRESS", "PROTOCOL", "CONSUMER", "MESSAGES", "LAST PROOF", "STATE"});
        return list_rows(*caller, "mailboxes", std::move(table), cells_of, json);
    }
    wish.patience = std::chrono::seconds(patience);
    if (auditing->parsed()) return audit_mailboxes(*caller, std::move(wish));
    if (shadowing->parsed()) return shadow_report(*caller, observed);
    if (showing->parsed()) return show_row(*caller, "mailboxes", id, text_of, json);
    const std::string path = "/v1/mailboxes/" + encoded(id);
    if (dealing->parsed()) {
        const auto query = policy.empty() ? std::string() : "?policy=" + encoded(policy);
        const auto shown = ask(*caller, "GET", path + "/after" + query);
        if (json) {
            fmt::print("{}", shown);
            return EX_OK;
        }
        const auto object = boost::json::parse(shown).as_object();
        fmt::print("{}", dry_run ? dry_run_text(object) : after_text(object));
        return EX_OK;
    }
    const auto older = path + "/backfill";
    const auto which = "?from=" + encoded(from) + (folder.empty() ? "" : "&folder=" + encoded(folder));
    const std::string body = filling->parsed() && cancel ? ask(*caller, "DELETE", older)
                             : filling->parsed()         ? ask(*caller, "POST", older + which)
                             : removing->parsed()        ? ask(*caller, "DELETE", path)
                             : replaying->parsed()
                                 ? ask(*caller, "POST", fmt::format("{}/replay?from={}", path, replay_from))
                             : resuming->parsed() ? ask(*caller, "POST", path + "/resume")
                             : reason.empty()     ? ask(*caller, "POST", path + "/pause")
                                                  : ask(*caller, "POST", path + "/pause?reason=" + encoded(reason));
    if (json) fmt::print("{}", body);
    if (replaying->parsed() && !json) {
        const auto replayed = boost::json::parse(body).as_object();
        fmt::print("handed off again to {}: from seq {} to {}\n", text_at(replayed, "consumer"),
                   text_at(replayed, "from"), text_at(replayed, "last_seq"));
    }
    return EX_OK;
}

}  // namespace cli
