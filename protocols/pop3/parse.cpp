#include "protocols/pop3/parse.hpp"

#include <algorithm>
#include <array>

#include "protocols/base/text.hpp"

namespace pop3 {
namespace {

constexpr std::size_t mechanisms_max = 64;
constexpr std::uint32_t login_delay_seconds_max = 7 * 24 * 3600;

/// Takes the first word off the front of `text`, and the blanks around it.
std::string_view take_word(std::string_view& text) noexcept {
    text = text::trimmed(text);
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    const auto word = text.substr(0, end);
    text = text::trimmed(text.substr(end));
    return word;
}

bool is_uidl(std::string_view word) noexcept {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

}  // namespace

bool Capabilities::offers(std::string_view mechanism) const noexcept {
    return std::any_of(mechanisms.begin(), mechanisms.end(),
                       [mechanism](const std::string& offered) { return text::same(offered, mechanism); });
}

std::optional<Answer> read_answer(std::string_view line) {
    Answer answer;
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    const auto status = line.substr(0, end);
    answer.accepted = text::same(status, "+OK");
    if (!answer.accepted && !text::same(status, "-ERR")) return std::nullopt;
    std::string_view words = text::trimmed(line.substr(end));
    const auto close = words.find(']');
    if (words.starts_with('[') && close != std::string_view::npos) {
        answer.code = text::printable(words.substr(1, close - 1));
        words = text::trimmed(words.substr(close + 1));
    }
    answer.text = text::printable(words, 400);
    return answer;
}

std::optional<std::string_view> read_continuation(std::string_view line) {
    if (line == "+") return std::string_view();
    if (!line.starts_with("+ ")) return std::nullopt;
    return text::trimmed(line.substr(2));
}

std::optional<Counted> read_stat(std::string_view text) {
    const auto messages = text::number<std::uint64_t>(take_word(text));
    const auto bytes = text::number<std::uint64_t>(take_word(text));
    if (!messages || !bytes) return std::nullopt;
    return Counted{*messages, *bytes};
}

std::optional<ListEntry> read_list_entry(std::string_view line) {
    const auto number = text::number<Number>(take_word(line));
    const auto bytes = text::number<std::uint64_t>(take_word(line));
    if (!number || *number == 0 || !bytes) return std::nullopt;
    return ListEntry{*number, *bytes};
}

std::optional<UidlEntry> read_uidl_entry(std::string_view line, std::size_t uidl_bytes_max) {
    const auto number = text::number<Number>(take_word(line));
    const auto uidl = take_word(line);
    if (!number || *number == 0 || !is_uidl(uidl) || uidl.size() > uidl_bytes_max || !line.empty()) return std::nullopt;
    return UidlEntry{*number, std::string(uidl)};
}

void read_capability(std::string_view line, Capabilities& into) {
    const auto name = take_word(line);
    if (text::same(name, "TOP")) into.top = true;
    if (text::same(name, "UIDL")) into.uidl = true;
    if (text::same(name, "USER")) into.user = true;
    if (text::same(name, "STLS")) into.stls = true;
    if (text::same(name, "PIPELINING")) into.pipelining = true;
    if (text::same(name, "UTF8")) into.utf8 = true;
    if (text::same(name, "LOGIN-DELAY")) {
        const auto seconds = text::number<std::uint32_t>(take_word(line));
        if (seconds) into.login_delay = std::chrono::seconds(std::min(*seconds, login_delay_seconds_max));
    }
    if (text::same(name, "EXPIRE")) into.expires_after_days = text::number<std::uint32_t>(take_word(line));
    if (!text::same(name, "SASL")) return;
    while (!line.empty() && into.mechanisms.size() < mechanisms_max) {
        std::string mechanism(take_word(line));
        std::transform(mechanism.begin(), mechanism.end(), mechanism.begin(), text::upper);
        into.mechanisms.push_back(std::move(mechanism));
    }
}

}  // namespace pop3
