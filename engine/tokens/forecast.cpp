#include "engine/tokens/forecast.hpp"

#include <array>

namespace tokens {

using std::chrono::days;

std::string_view word_of(Expiry::What what) noexcept {
    constexpr std::array<std::string_view, 3> words{"client secret", "certificate", "refresh token"};
    return words[static_cast<std::size_t>(what)];
}

std::vector<Expiry> expiries_of(const config::Credential& credential, std::optional<days> idle_life, const Ends& ends) {
    std::vector<Expiry> expiries;
    if (credential.flow == config::Flow::password) return expiries;
    const auto add = [&](Expiry::What what, WallTime at) { expiries.push_back({credential.id, what, at}); };
    if (credential.client_secret_expires) add(Expiry::What::client_secret, *credential.client_secret_expires);
    if (ends.certificate) add(Expiry::What::certificate, *ends.certificate);
    if (idle_life && ends.refresh_token_used_at)
        add(Expiry::What::refresh_token, *ends.refresh_token_used_at + *idle_life);
    return expiries;
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
