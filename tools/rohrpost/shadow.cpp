#include "tools/rohrpost/shadow.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "tools/rohrpost/delivered.hpp"
#include "tools/rohrpost/exit.hpp"
#include "tools/rohrpost/rows.hpp"

namespace cli {
namespace {

std::uint64_t number_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value == nullptr ? 0 : value->to_number<std::uint64_t>();
}

/// 3723 → 1h 2m 3s
std::string span_text(std::uint64_t seconds) {
    std::string text;
    for (const auto& [unit, length] : {std::pair<char, std::uint64_t>{'d', 86'400}, {'h', 3600}, {'m', 60}}) {
        if (seconds >= length) text += fmt::format("{}{} ", seconds / length, unit);
        seconds %= length;
    }
    return seconds > 0 || text.empty() ? text + fmt::format("{}s", seconds) : text.substr(0, text.size() - 1);
}

/// "12, of them 3 …" for what is worth saying.
std::string with_notes(std::uint64_t count, std::initializer_list<std::pair<std::uint64_t, std::string_view>> notes) {
    auto text = fmt::format("{}", count);
    std::string_view before = ", of them ";
    for (const auto& [part, note] : notes) {
        if (part > 0) text += fmt::format("{}{} {}", std::exchange(before, ", "), part, note);
    }
    return text;
}

std::string by_text(const boost::json::object& report) {
    if (text_at(report, "by") == "list") return "a list of what was delivered";
    const bool removed = text_at(report, "taken_by") == "removed";
    return removed ? "the server: what is removed there is taken"
                   : "the server: what is \\Seen or removed there is taken";
}

std::string facts_text(const boost::json::object& report) {
    const bool by_list = text_at(report, "by") == "list";
    Table facts({"SHADOW", text_at(report, "mailbox")});
    facts.add({"judged by", by_text(report)});
    facts.add({"period", text_at(report, "from") + " to " + text_at(report, "until")});
    facts.add({"observed", text_at(report, "observed")});
    facts.add({"taken", with_notes(number_at(report, "taken"),
                                   {{number_at(report, "not_watched"), "while nobody looked, perhaps late"},
                                    {number_at(report, "gone_unflagged"), "removed without \\Seen"}})});
    const auto late = number_at(report, "late");
    const auto delay = number_at(report, "longest_delay_seconds");
    facts.add({"late", late == 0 ? "0" : fmt::format("{}, the latest {} after it arrived", late, span_text(delay))});
    facts.add({"missed", text_at(report, "missed")});
    facts.add({"doubled", by_list ? text_at(report, "doubled") : "only a list can tell (--list)"});
    if (by_list) facts.add({"not comparable", text_at(report, "not_comparable")});
    if (by_list) facts.add({"unknown here", text_at(report, "unknown_here")});
    facts.add({"still in time",
               fmt::format("{} (grace {})", text_at(report, "open"), span_text(number_at(report, "grace_seconds")))});
    if (number_at(report, "moved") > 0) facts.add({"moved, copied", text_at(report, "moved")});
    if (number_at(report, "came_and_went") > 0)
        facts.add({"came and went", text_at(report, "came_and_went") + " between two looks: nothing is known of them"});
    return facts.text();
}

std::string rows_text(const boost::json::array& rows) {
    if (rows.empty()) return {};
    Table table({"WHAT", "TIME", "MESSAGE-ID", "FOLDER", "NOTE"});
    for (const auto& value : rows) {
        const auto& row = value.as_object();
        std::string note;
        if (row.contains("delay_seconds")) note = span_text(number_at(row, "delay_seconds")) + " after it arrived";
        if (row.contains("times")) note = fmt::format("delivered {} times", number_at(row, "times"));
        table.add({text_at(row, "what"), text_at(row, "at"), text_at(row, "message_id"), text_at(row, "folder"), note});
    }
    return '\n' + table.text();
}

boost::json::object page_of(Caller& caller, const ShadowWish& wish, const std::string& list, std::uint64_t after) {
    control::Request request;
    request.method = wish.lists.empty() ? "GET" : "POST";
    request.target = fmt::format("/v1/mailboxes/{}/shadow?after={}", encoded(wish.mailbox), after);
    if (!wish.since.empty()) request.target += "&since=" + encoded(wish.since);
    if (!wish.until.empty()) request.target += "&until=" + encoded(wish.until);
    request.body = list;
    if (!wish.lists.empty()) request.type = "text/plain";
    return boost::json::parse(accepted(caller.call(std::move(request)))).as_object();
}

}  // namespace

int shadow_report(Caller& caller, const ShadowWish& wish) {
    const auto list = delivered_in(wish.lists);
    auto report = page_of(caller, wish, list, 0);
    auto& rows = report.at("rows").as_array();
    for (auto next = number_at(report, "next"); next > 0;) {
        const auto page = page_of(caller, wish, list, next);
        for (const auto& row : page.at("rows").as_array()) rows.push_back(row);
        next = number_at(page, "next");
    }
    report.erase("next");
    if (wish.json)
        fmt::print("{}\n", boost::json::serialize(report));
    else
        fmt::print("{}{}", facts_text(report), rows_text(report.at("rows").as_array()));
    return number_at(report, "missed") + number_at(report, "doubled") > 0 ? EX_DATAERR : EX_OK;
}

}  // namespace cli
