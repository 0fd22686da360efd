#include "tools/rohrpost/audit.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <thread>

#include "tools/rohrpost/exit.hpp"
#include "tools/rohrpost/rows.hpp"

namespace cli {
namespace {

constexpr auto between_looks = std::chrono::milliseconds(100);

boost::json::object parsed(const std::string& body) { return boost::json::parse(body).as_object(); }

std::vector<std::string> all_ids(Caller& caller) {
    std::vector<std::string> ids;
    for (std::string after;;) {
        const auto page = parsed(ask(caller, "GET", "/v1/mailboxes?after=" + encoded(after)));
        for (const auto& row : page.at("mailboxes").as_array()) {
            const bool shadow = row.as_object().contains("shadow");
            if (text_at(row.as_object(), "paused").empty() && !shadow) ids.push_back(text_at(row.as_object(), "id"));
        }
        after = text_at(page, "next");
        if (after.empty()) return ids;
    }
}

/// An audit that was asked for.
struct Asked {
    std::string id;
    std::string at;        // times of one form: they compare as they are
    std::string hindered;  // why there is none so far
};

/// nullopt: not yet.
std::optional<boost::json::object> outcome_of(Caller& caller, Asked& asked) {
    auto mailbox = parsed(ask(caller, "GET", "/v1/mailboxes/" + encoded(asked.id)));
    auto* audit = mailbox.if_contains("audit");
    if (audit != nullptr && text_at(audit->as_object(), "at") >= asked.at) return audit->as_object();
    asked.hindered = text_at(mailbox, "reason");
    if (asked.hindered.empty()) asked.hindered = "it is " + text_at(mailbox, "state");
    return std::nullopt;
}

std::uint64_t number_at(const boost::json::object& object, std::string_view key) {
    return object.at(key).to_number<std::uint64_t>();
}

/// Prints one mailbox's, and says how well it went.
int tell(const std::string& id, const boost::json::object& audit, Table& table, bool json) {
    int code = number_at(audit, "unknown") > 0 ? EX_DATAERR : EX_OK;
    for (const auto& value : audit.at("folders").as_array()) {
        const auto& folder = value.as_object();
        std::vector<std::string> cells{id, text_at(folder, "folder")};
        const auto hindered = text_at(folder, "not_compared");
        if (!hindered.empty() && code == EX_OK) code = EX_TEMPFAIL;
        for (const auto* key :
             {"on_server", "delivered", "undelivered", "pending", "before_start", "unknown", "awaited", "gone"}) {
            cells.push_back(hindered.empty() ? text_at(folder, key) : "-");
        }
        cells.push_back(hindered);
        table.add(std::move(cells));
    }
    if (json) {
        boost::json::object line{{"mailbox", id}};
        line.insert(audit.begin(), audit.end());
        fmt::print("{}\n", boost::json::serialize(line));
    }
    const auto found = number_at(audit, "found");
    if (found > 0) fmt::print(stderr, "{}: {} messages were unknown, and have been fetched\n", id, found);
    const auto set_aside = number_at(audit, "set_aside");
    if (set_aside > 0) fmt::print(stderr, "{}: {} messages are set aside: rohrpost mailbox show\n", id, set_aside);
    return code;
}

int worse(int a, int b) {
    if (a == EX_DATAERR || b == EX_DATAERR) return EX_DATAERR;
    return a == EX_OK ? b : a;
}

}  // namespace

int audit_mailboxes(Caller& caller, AuditWish wish) {
    if (!caller.daemon_runs()) throw Failure(EX_UNAVAILABLE, "no daemon runs, and only it speaks with servers");
    if (wish.ids.empty()) wish.ids = all_ids(caller);
    std::vector<Asked> asked;
    for (auto& id : wish.ids) {
        const auto answer = parsed(ask(caller, "POST", "/v1/mailboxes/" + encoded(id) + "/audit"));
        asked.push_back({std::move(id), text_at(answer, "asked_at"), {}});
    }
    const auto until = std::chrono::steady_clock::now() + wish.patience;
    Table table({"MAILBOX", "FOLDER", "ON SERVER", "DELIVERED", "UNDELIVERED", "PENDING", "BEFORE START", "UNKNOWN",
                 "AWAITED", "GONE", "NOT COMPARED"});
    int code = EX_OK;
    for (auto& one : asked) {
        auto outcome = outcome_of(caller, one);
        while (!outcome && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(between_looks);
            outcome = outcome_of(caller, one);
        }
        if (outcome) {
            code = worse(code, tell(one.id, *outcome, table, wish.json));
            continue;
        }
        code = worse(code, EX_TEMPFAIL);
        fmt::print(stderr, "{}: not compared within {} s: {}\n", one.id, wish.patience.count(), one.hindered);
        if (wish.json) {
            const boost::json::object line{{"mailbox", one.id}, {"error", one.hindered}};
            fmt::print("{}\n", boost::json::serialize(line));
        }
    }
    if (!wish.json) fmt::print("{}", table.text());
    return code;
}

}  // namespace cli
