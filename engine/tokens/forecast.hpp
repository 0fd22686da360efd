#pragma once
/// What of a credential ends by itself, and when its operator is told. Functions of facts; no clock, no store.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/model.hpp"
#include "protocols/base/clock.hpp"

namespace tokens {

/// Something of a credential that ends unless somebody renews it.
struct Expiry {
    enum class What {
        client_secret,  // as the import document says
        certificate,    // as it says itself
        refresh_token,  // once nobody has used it for as long as its provider waits
    };
    std::string credential;
    What what = What::client_secret;
    WallTime at{};
};
std::string_view word_of(Expiry::What what) noexcept;
/// What there is to do about it.
constexpr std::string_view remedy_for(Expiry::What what) noexcept {
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

/// What a credential's sealed parts show of their ends.
struct Ends {
    std::optional<WallTime> certificate;            // as it says itself
    std::optional<WallTime> refresh_token_used_at;  // the last time
};
/// All that ends some day. `idle_life` is its provider's.
std::vector<Expiry> expiries_of(const config::Credential& credential, std::optional<std::chrono::days> idle_life,
                                const Ends& ends);

/// Operators are told so many days before the end, and when it is there.
inline constexpr int warning_days[] = {60, 30, 14, 7, 1, 0};
/// The last of these that has come: 60 from 60 to 30 days before the end, 0 afterwards. nullopt: none yet.
std::optional<int> warning_at(WallTime end, WallTime now) noexcept;
/// Until the next one comes; nullopt: there is none after 0.
std::optional<WallTime::duration> until_next_warning(WallTime end, WallTime now) noexcept;
/// Whole days that are left, rounded down; negative when it is over.
int days_left(WallTime end, WallTime now) noexcept;

/// For how long a refresh token lives that nobody uses: 90 days at Microsoft, six months at Google; nullopt: not known.
std::optional<std::chrono::days> idle_life_of(const config::Provider& provider) noexcept;
/// A refresh token that nobody has used for so long is used for its own sake.
inline constexpr std::chrono::days idle_days_max{20};

}  // namespace tokens
