#include <algorithm>
#include <array>

#include "protocols/base/back_off.hpp"
#include "protocols/base/text.hpp"
#include "protocols/imap/types.hpp"

namespace imap {
namespace {

struct Phrase {
    std::string_view text;
    Hint::Kind kind;
};

// Stable parts of what Exchange Online and Gmail say, seen until 2026-11. The first that is found decides.
constexpr std::array phrases = {
    Phrase{"AccessTokenExpired", Hint::Kind::token_expired},
    Phrase{"Session expired, please login again", Hint::Kind::token_expired},
    Phrase{"Account exceeded command or bandwidth limits", Hint::Kind::over_quota},
    Phrase{"[OVERQUOTA]", Hint::Kind::over_quota},
    Phrase{"Request is throttled", Hint::Kind::throttled},
    Phrase{"[THROTTLED]", Hint::Kind::throttled},
    Phrase{"User is authenticated but not connected", Hint::Kind::not_connected},
    Phrase{"Too many simultaneous connections", Hint::Kind::too_many_connections},
    Phrase{"Server Unavailable", Hint::Kind::unavailable},
    Phrase{"[UNAVAILABLE]", Hint::Kind::unavailable},
};

}  // namespace

Hint hint_of(std::string_view server_text) {
    for (const Phrase& phrase : phrases) {
        if (text::find_same(server_text, phrase.text) == std::string_view::npos) continue;
        return {phrase.kind, back_off_in(server_text)};
    }
    return {};
}

Hint hint_of(const Answer& answer) { return hint_of('[' + answer.code + "] " + answer.text); }

}  // namespace imap
