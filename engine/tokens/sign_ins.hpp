#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "engine/runtime/scope.hpp"
#include "engine/tokens/token_service.hpp"
#include "protocols/oauth2/callback.hpp"

namespace tokens {

/// The sign-ins that were begun here and have not come to an end. A callback counts once, within ten minutes, and only
/// when its `state` was made here. In memory alone: after a restart a person begins again. On the shard of the service.
class SignIns {
public:
    struct Uses {
        asio::any_io_executor shard;
        TokenService& tokens;
        Timers& timers;
        Random& random;
        std::function<void(const std::string& credential)> stored{};  // told after each grant that was stored
    };
    explicit SignIns(Uses uses);
    /// Where browsers come back to, as it is registered at the providers.
    void redirect_to(std::string redirect_uri) { redirect_uri_ = std::move(redirect_uri); }

    /// Where the person's browser is sent.
    struct Begun {
        std::string id;  // of the sign-in: look its end up with it. Not the state
        std::string url;
        std::string user;  // who must sign in
        WallTime until{};
    };
    struct BegunDevice {
        std::string id;
        std::string user;
        oauth2::DeviceCode code;
        WallTime until{};
    };
    /// In words: why it cannot begin.
    using Refused = std::string;

    /// Authorization code with PKCE. Refused: unknown credential, a flow without people, a provider without
    /// authorize_url, more than sign_ins_max under way. `browser` names the browser that alone may finish it; empty:
    /// whoever knows the state may.
    std::variant<Begun, Refused> begin(const std::string& credential, const std::string& browser = {});
    /// Device code; asks on by itself until the person has signed in or the code has expired.
    awaitable<std::variant<BegunDevice, Refused>> begin_device(std::string credential);

    /// What a person needs to know to go on with one that is under way.
    struct Way {
        std::string user;
        WallTime until{};
        std::string url;                                   // by redirect
        std::string verification_uri, user_code, message;  // by device code
    };
    /// How one ended.
    struct End {
        std::string credential;
        SignInResult result;
        std::optional<Way> way{};  // while it is pending
    };
    /// The browser is back. `unknown` when its state was not made here, was used before, or is too old;
    /// `other_browser` when it was begun in another one than `browser`.
    awaitable<End> finish(oauth2::Callback callback, std::string browser = {});
    /// Of the last hour; nullopt: no such id. An End that has not come is `pending`.
    [[nodiscard]] std::optional<End> end_of(const std::string& id);

    /// A browser that came back from a provider and found no sign-in of its own.
    struct Stray {
        std::string address;  // where it came to, without the query; not redirect_uri(): under another name
        WallTime at{};
    };
    /// The last one of a day, unless somebody has signed in since.
    [[nodiscard]] std::optional<Stray> stray() const;
    void came_astray(std::string address);

    [[nodiscard]] const std::string& redirect_uri() const noexcept { return redirect_uri_; }
    /// Ends what is under way.
    awaitable<void> close();

    static constexpr std::size_t sign_ins_max = 1000;
    static constexpr std::chrono::minutes lasts{10};

private:
    struct Waiting {
        std::string id;
        std::string credential;
        std::string browser;
        Secret code_verifier;
        std::string nonce;
        Monotonic until{};
    };
    struct Kept {
        End end;
        Monotonic until{};
    };
    awaitable<void> poll(std::string id, std::string credential, oauth2::DeviceCode code);
    void forget_old();
    void keep(const std::string& id, End end);
    [[nodiscard]] Refused hindrance(const std::string& credential) const;

    Uses uses_;
    std::string redirect_uri_;
    std::map<std::string, Waiting> waiting_;  // by state
    std::map<std::string, Kept> ends_;        // by id
    std::optional<Stray> stray_;
    runtime::Scope scope_;  // last
};

/// What people are told about a result: one line what happened, one what to do (empty: nothing).
struct SignInWords {
    std::string headline, remedy;
};
SignInWords words_of(const SignIns::End& end);

}  // namespace tokens
