#include <algorithm>
#include <array>

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

std::optional<std::uint64_t> back_off_in(std::string_view server_text) {
    constexpr std::string_view before = "Suggested Backoff Time:";
    const std::size_t at = text::find_same(server_text, before);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view after = text::trimmed(server_text.substr(at + before.size()));
    const std::size_t digits = std::min(after.find_first_not_of("0123456789"), after.size());
    return text::number<std::uint64_t>(after.substr(0, digits));
}

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
