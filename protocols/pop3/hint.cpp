#include <algorithm>
#include <array>

#include "protocols/base/back_off.hpp"
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
