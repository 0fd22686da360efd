#include "protocols/smtp/capabilities.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"

namespace smtp {
namespace {

constexpr std::size_t mechanism_bytes_max = 40;  // RFC 4422 §3.1: 20

std::string_view take_word(std::string_view& text) noexcept {
    text = text::trimmed(text);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

std::string uppercase(std::string_view word) {
    std::string out(word);
    std::transform(out.begin(), out.end(), out.begin(), text::upper);
    return out;
}

void take_mechanisms(std::string_view words, std::vector<std::string>& auth) {
    for (std::string_view word = take_word(words); !word.empty(); word = take_word(words)) {
        if (auth.size() == auth_mechanisms_max || word.size() > mechanism_bytes_max) continue;
        std::string mechanism = uppercase(word);
        if (std::find(auth.begin(), auth.end(), mechanism) == auth.end()) auth.push_back(std::move(mechanism));
    }
}

void take_limits(std::string_view words, Capabilities::Limits& limits) {
    for (std::string_view word = take_word(words); !word.empty(); word = take_word(words)) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = word.substr(0, equals);
        const auto number = text::number<std::uint64_t>(word.substr(equals + 1));
        if (!number || *number == 0) continue;
        if (text::same(name, "MAILMAX")) limits.mails_max = number;
        if (text::same(name, "RCPTMAX")) limits.recipients_max = number;
        if (text::same(name, "RCPTDOMAINMAX")) limits.recipient_domains_max = number;
    }
}

void take_line(std::string_view line, Capabilities& offered) {
    std::string_view words = line;
    const std::string_view keyword = take_word(words);
    if (text::same(keyword, "PIPELINING")) offered.pipelining = true;
    if (text::same(keyword, "CHUNKING")) offered.chunking = true;
    if (text::same(keyword, "BINARYMIME")) offered.binarymime = true;
    if (text::same(keyword, "8BITMIME")) offered.eightbitmime = true;
    if (text::same(keyword, "SMTPUTF8")) offered.smtputf8 = true;
    if (text::same(keyword, "DSN")) offered.dsn = true;
    if (text::same(keyword, "ENHANCEDSTATUSCODES")) offered.enhanced_status_codes = true;
    if (text::same(keyword, "STARTTLS")) offered.starttls = true;
    if (text::same(keyword, "LIMITS")) take_limits(words, offered.limits);
    if (text::same(keyword, "SIZE")) {
        offered.size = true;
        const auto bytes = text::number<std::uint64_t>(take_word(words));
        if (bytes && *bytes > 0) offered.size_bytes_max = bytes;  // 0: no fixed limit
    }
    if (text::same(keyword, "AUTH")) take_mechanisms(words, offered.auth);
    constexpr std::string_view old_form = "AUTH=";  // from before RFC 2554; some servers say both
    if (text::starts_with_same(keyword, old_form))
        take_mechanisms(text::trimmed(line).substr(old_form.size()), offered.auth);
}

}  // namespace

bool Capabilities::offers_login(std::string_view mechanism) const noexcept {
    return std::find(auth.begin(), auth.end(), mechanism) != auth.end();
}

Capabilities read_capabilities(const Reply& reply) {
    Capabilities offered;
    if (reply.lines.empty()) return offered;
    std::string_view greeting = reply.lines.front();
    offered.server_name = take_word(greeting);
    for (std::size_t at = 1; at < reply.lines.size(); ++at) take_line(reply.lines[at], offered);
    return offered;
}

}  // namespace smtp
