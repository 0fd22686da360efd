#include <algorithm>
#include <array>

#include "protocols/base/text.hpp"
#include "protocols/pop3/types.hpp"

namespace pop3 {
namespace {

struct Phrase {
    std::string_view text;
    Hint::Kind kind;
};

// Response codes of RFC 2449 and 3206.
constexpr std::array codes = {
    Phrase{"AUTH", Hint::Kind::credentials},        Phrase{"IN-USE", Hint::Kind::in_use},
    Phrase{"LOGIN-DELAY", Hint::Kind::login_delay}, Phrase{"SYS/TEMP", Hint::Kind::temporary},
    Phrase{"SYS/PERM", Hint::Kind::permanent},
};

// Stable parts of what Exchange Online, Gmail and Dovecot say, seen until 2026-11. The first that is found decides.
constexpr std::array phrases = {
    Phrase{"AccessTokenExpired", Hint::Kind::token_expired},
    Phrase{"Session expired", Hint::Kind::token_expired},
    Phrase{"Request is throttled", Hint::Kind::throttled},
    Phrase{"Account exceeded command or bandwidth limits", Hint::Kind::throttled},
    Phrase{"Suggested Backoff Time", Hint::Kind::throttled},
    Phrase{"login frequency exceeded", Hint::Kind::login_delay},
    Phrase{"Too many simultaneous connections", Hint::Kind::too_many_connections},
    Phrase{"Maximum number of connections", Hint::Kind::too_many_connections},
    Phrase{"maildrop already locked", Hint::Kind::in_use},
    Phrase{"Server Unavailable", Hint::Kind::temporary},
};

std::optional<std::uint64_t> back_off_in(std::string_view server_text) {
    constexpr std::string_view before = "Suggested Backoff Time:";
    const std::size_t at = text::find_same(server_text, before);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view after = text::trimmed(server_text.substr(at + before.size()));
    const std::size_t digits = std::min(after.find_first_not_of("0123456789"), after.size());
    return text::number<std::uint64_t>(after.substr(0, digits));
}

}  // namespace

Hint hint_of(const Answer& answer) {
    if (answer.ok()) return {};
    for (const Phrase& phrase : phrases) {
        if (text::find_same(answer.text, phrase.text) == std::string_view::npos) continue;
        return {phrase.kind, back_off_in(answer.text)};
    }
    for (const Phrase& code : codes) {
        if (text::same(answer.code, code.text)) return {code.kind, std::nullopt};
    }
    return {};
}

}  // namespace pop3
