#include "tools/rohrpost/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <map>
#include <utility>
#include <vector>

#include "protocols/base/text.hpp"
#include "tools/rohrpost/exit.hpp"
#include "tools/rohrpost/table.hpp"

namespace cli {
namespace {

constexpr std::size_t alike_in_full_max = 3;
constexpr std::size_t alike_named_max = 20;

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// What servers say reaches the terminal as text.
std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        out += code < 0x20 || code == 0x7f ? fmt::format("\\x{:02x}", code) : std::string(1, c);
    }
    return out;
}

std::string in_capitals(std::string word) {
    for (char& c : word) c = text::upper(c);
    return word;
}

/// "  cause   …", further lines below the first.
void append_part(std::string& text, std::string_view name, const std::string& lines) {
    if (lines.empty()) return;
    std::string_view label = name;
    for (const auto line : text::split(lines, '\n')) {
        text += fmt::format("  {:<8}{}\n", label, printable(line));
        label = "";
    }
}

using Alike = std::vector<const boost::json::object*>;

std::string subject_of(const boost::json::object& finding) {
    const auto& subject = finding.at("subject").as_object();
    return fmt::format("{} {}", text_at(subject, "kind"), printable(text_at(subject, "name")));
}

void append_in_full(std::string& text, const boost::json::object& finding) {
    text += fmt::format("\n{:<8}{}  ({})\n", in_capitals(text_at(finding, "severity")), text_at(finding, "id"),
                        subject_of(finding));
    for (const std::string_view part : {"did", "got", "cause", "remedy"})
        append_part(text, part, text_at(finding, part));
}

/// "host a:993, b:993 and 3 more (--json has all)", from one on.
std::string names_of(const Alike& alike, std::size_t from) {
    std::vector<std::string> names;
    for (std::size_t i = from; i < std::min(alike.size(), from + alike_named_max); ++i)
        names.push_back(printable(text_at(alike[i]->at("subject").as_object(), "name")));
    const std::size_t left = alike.size() - from - names.size();
    return fmt::format("{}{}", fmt::join(names, ", "),
                       left > 0 ? fmt::format(" and {} more (--json has all)", left) : "");
}

/// Of many that are alike a few are shown, and the others named.
void append(std::string& text, const Alike& alike, Detail detail) {
    const std::size_t shown = detail == Detail::all ? alike.size() : std::min(alike.size(), alike_in_full_max);
    for (std::size_t i = 0; i < shown; ++i) append_in_full(text, *alike[i]);
    if (shown == alike.size()) return;
    text += fmt::format("  … and {} more with {}: {}\n", alike.size() - shown, text_at(*alike.front(), "id"),
                        names_of(alike, shown));
}

/// What is only to be known, in a line.
void append_note(std::string& text, const Alike& alike) {
    text += fmt::format("\n{:<8}{}  ({} {}): {}\n", "note", text_at(*alike.front(), "id"),
                        text_at(alike.front()->at("subject").as_object(), "kind"), names_of(alike, 0),
                        printable(text_at(*alike.front(), "cause")));
}

/// Findings of one id together, in the order of the first of each.
std::vector<Alike> grouped(const boost::json::array& findings) {
    std::vector<Alike> groups;
    std::map<std::string, std::size_t> places;
    for (const auto& value : findings) {
        const auto& finding = value.as_object();
        const auto [place, fresh] =
            places.try_emplace(text_at(finding, "severity") + ' ' + text_at(finding, "id"), groups.size());
        if (fresh) groups.emplace_back();
        groups[place->second].push_back(&finding);
    }
    return groups;
}

std::string_view verdict_of(std::string_view severity) {
    if (severity == "fault") return "FAULT";
    return severity == "note" ? "ok" : severity;
}

std::string tally(const boost::json::object& report) {
    std::size_t faults = 0, warnings = 0;
    const auto& mailboxes = report.at("mailboxes").as_array();
    for (const auto& value : mailboxes) {
        const auto verdict = text_at(value.as_object(), "verdict");
        faults += verdict == "fault" ? 1 : 0;
        warnings += verdict == "warning" ? 1 : 0;
    }
    return fmt::format("{} mailbox{}: {} ok, {} with warnings, {} with faults ({:.1f} s)\n", mailboxes.size(),
                       mailboxes.size() == 1 ? "" : "es", mailboxes.size() - faults - warnings, warnings, faults,
                       report.at("took_ms").to_number<double>() / 1000);
}

}  // namespace

std::string shown(const boost::json::object& report, Detail detail) {
    Table table({"MAILBOX", "VERDICT", "ADDRESS", "FOUND"});
    for (const auto& value : report.at("mailboxes").as_array()) {
        const auto& mailbox = value.as_object();
        table.add({text_at(mailbox, "id"), std::string(verdict_of(text_at(mailbox, "verdict"))),
                   text_at(mailbox, "address"), text_at(mailbox, "summary")});
    }
    std::string text = table.text();
    for (const auto& alike : grouped(report.at("findings").as_array())) {
        const auto severity = text_at(*alike.front(), "severity");
        if (detail == Detail::all || severity == "fault" || severity == "warning") {
            append(text, alike, detail);
        } else if (severity == "note") {
            append_note(text, alike);
        }
    }
    return text + '\n' + tally(report);
}

std::string shown(const doctor::Explanation& explanation) {
    std::string text;
    if (!explanation.id.empty()) text += fmt::format("{}  ({})\n", explanation.id, explanation.about);
    append_part(text, "remark", explanation.remark);
    append_part(text, "cause", explanation.cause);
    append_part(text, "remedy", explanation.remedy);
    return text;
}

int code_of(const boost::json::object& report) {
    constexpr std::array<std::pair<std::string_view, int>, 4> owners{
        {{"network", EX_UNAVAILABLE}, {"configuration", EX_CONFIG}, {"account", EX_NOPERM}, {"nobody", EX_TEMPFAIL}}};
    const auto& findings = report.at("findings").as_array();
    for (const auto& [owner, code] : owners) {
        for (const auto& value : findings) {
            const auto& finding = value.as_object();
            if (text_at(finding, "severity") == "fault" && text_at(finding, "owner") == owner) return code;
        }
    }
    return EX_OK;
}

}  // namespace cli
