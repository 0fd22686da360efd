#include "engine/alarming/notice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/submission/preparation.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"

namespace alarming {
namespace {

constexpr std::size_t named_max = 20;  // of a rule, in one mail
constexpr std::size_t subject_bytes_max = 180;
constexpr std::size_t line_bytes_max = 900;

bool is_ascii(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Words of servers stand in it: on one line, and no longer than a line may be.
std::string line_of(std::string_view words) {
    std::string line;
    for (const char c : words.substr(0, line_bytes_max))
        line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    return line;
}

std::string subject_of(const Notice& notice, std::size_t raised, std::size_t cleared) {
    const auto& first = notice.changes.front();
    const bool alone = notice.changes.size() == 1;
    std::string says = alone ? first.condition.what
                       : cleared == 0
                           ? fmt::format("{} alarms, first: {}", raised, first.condition.what)
                           : fmt::format("{} alarms, {} over, first: {}", raised, cleared, first.condition.what);
    if (alone && first.is == Board::Change::Is::cleared) says = "over: " + says;
    auto subject = line_of(fmt::format("[Rohrpost {}] {}", notice.host, says)).substr(0, subject_bytes_max);
    std::replace_if(
        subject.begin(), subject.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return subject;
}

void list(std::string& text, const Notice& notice, Board::Change::Is is, std::string_view heading) {
    std::map<Rule, std::vector<const Board::Change*>> by_rule;
    for (const auto& change : notice.changes) {
        if (change.is == is) by_rule[change.condition.rule].push_back(&change);
    }
    if (by_rule.empty()) return;
    text += fmt::format("{}\r\n", heading);
    for (const auto& [rule, changes] : by_rule) {
        text += fmt::format("\r\n{} ({}):\r\n", word_of(rule), changes.size());
        for (std::size_t i = 0; i < std::min(changes.size(), named_max); ++i) {
            const auto& condition = changes[i]->condition;
            text += fmt::format("  * {}\r\n    since {}\r\n", line_of(condition.what),
                                submission::date_of(changes[i]->since));
            if (is == Board::Change::Is::raised && !condition.remedy.empty())
                text += fmt::format("    {}\r\n", line_of(condition.remedy));
        }
        if (changes.size() > named_max) text += fmt::format("  and {} more\r\n", changes.size() - named_max);
    }
    text += "\r\n";
}

std::string wrapped_base64(std::string_view bytes) {
    constexpr std::size_t line = 76;
    const auto encoded = base64_encoded(bytes);
    std::string lines;
    for (std::size_t at = 0; at < encoded.size(); at += line) lines += encoded.substr(at, line) + "\r\n";
    return lines;
}

}  // namespace

std::string message_of(const Notice& notice) {
    const auto raised =
        static_cast<std::size_t>(std::count_if(notice.changes.begin(), notice.changes.end(), [](const auto& change) {
            return change.is == Board::Change::Is::raised;
        }));
    const auto cleared = notice.changes.size() - raised;
    std::string text;
    list(text, notice, Board::Change::Is::raised, "Wrong now:");
    list(text, notice, Board::Change::Is::cleared, "Over:");
    text += fmt::format("{} alarms stand. All of them: rohrpost alarms\r\n", notice.standing);

    const bool plain = is_ascii(text);
    return fmt::format(
        "From: Rohrpost <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nAuto-Submitted: auto-generated\r\n"
        "X-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset={}\r\n"
        "Content-Transfer-Encoding: {}\r\n\r\n{}",
        notice.from, fmt::join(notice.to, ",\r\n "), subject_of(notice, raised, cleared),
        submission::date_of(notice.at), plain ? "us-ascii" : "utf-8", plain ? "7bit" : "base64",
        plain ? text : wrapped_base64(text));
}

}  // namespace alarming
