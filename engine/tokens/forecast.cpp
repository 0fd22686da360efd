#include "engine/tokens/forecast.hpp"

#include <array>

namespace tokens {

using std::chrono::days;

std::string_view word_of(Expiry::What what) noexcept {
    constexpr std::array<std::string_view, 3> words{"client secret", "certificate", "refresh token"};
    return words[static_cast<std::size_t>(what)];
}

std::string_view remedy_for(Expiry::What what) noexcept {
    switch (what) {
        case Expiry::What::client_secret:
            return "make a new client secret at the application's registration, and import it with its date: all "
                   "credentials of the application end with it";
        case Expiry::What::certificate:
            return "upload a new certificate to the application's registration, and import it with its key: all "
                   "credentials of the application end with it";
        case Expiry::What::refresh_token:
            break;
    }
    return "it is refreshed by itself as soon as that works: see why it does not, or let its owner sign in again with "
           "rohrpost authorize";
}

std::optional<int> warning_at(WallTime end, WallTime now) noexcept {
    std::optional<int> last;
    for (const int before : warning_days) {
        if (now >= end - days(before)) last = before;
    }
    return last;
}

std::optional<WallTime::duration> until_next_warning(WallTime end, WallTime now) noexcept {
    for (const int before : warning_days) {
        if (now < end - days(before)) return end - days(before) - now;
    }
    return std::nullopt;
}

int days_left(WallTime end, WallTime now) noexcept {
    return static_cast<int>(std::chrono::floor<days>(end - now).count());
}

std::optional<days> idle_life_of(const config::Provider& provider) noexcept {
    if (provider.preset == "microsoft365") return days(90);
    if (provider.preset == "gmail") return days(180);
    return std::nullopt;
}

}  // namespace tokens
