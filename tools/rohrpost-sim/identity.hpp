#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"
#include "tools/rohrpost-sim/jose.hpp"

namespace sim {

/// Whose identity provider is played.
enum class Manner { entra, google };

struct IdentityRules {
    Manner manner = Manner::entra;
    /// Unknown applications may not refresh either, and a registered one's secret is asked for at every grant.
    bool strict = false;
    std::chrono::seconds code_lives_for = std::chrono::minutes(10);
    std::chrono::seconds device_code_lives_for = std::chrono::minutes(15);
    std::chrono::seconds poll_interval = std::chrono::seconds(5);
    std::chrono::seconds id_token_lives_for = std::chrono::hours(1);
    std::string base_url = "https://localhost";                   // without a slash at its end
    std::string tenant = "51a7e000-0000-4000-8000-00000000babe";  // our own id
    std::string domain = "sim.test";                              // and name
    std::string other_tenant = "07e40000-0000-4000-8000-00000000beef";
};

/// Who can sign in. A mailbox's user follows from its address; others are kept.
struct Account {
    std::string name{};  // what is typed at sign-in, and preferred_username
    std::string upn{};
    std::string email{};
    std::string display{};
    std::string password{};
    std::string oid{};
    std::string tenant{};  // where it lives
    bool guest = false;    // of our tenant, too
};

/// A registered application.
struct Client {
    std::string id{};
    std::string display = "Rohrpost";
    std::vector<std::string> redirect_uris{};
    std::string secret{};
    bool secret_expired = false;
    bool secret_in_header = false;            // nowhere else (client_secret_basic)
    std::vector<std::string> certificates{};  // PEM
    bool pkce_required = true;
    bool device_code_allowed = true;
    bool multi_tenant = true;  // "common" may be asked

    /// It has to prove itself at the token endpoint; otherwise it must not try to.
    [[nodiscard]] bool confidential() const { return !secret.empty() || !certificates.empty(); }
};

/// Google's: signs its own assertions; with domain-wide delegation for any user.
struct ServiceAccount {
    std::string email{};
    std::string key_pem{};
    bool delegated = true;
};

/// What a client got, and for whom.
struct Grant {
    std::string client{};
    std::string user{};
    std::vector<std::string> scopes{};
    std::string tenant_form{};  // as the client wrote it: an id, a domain, "common"; empty: none
    std::uint64_t family = 0;   // everything that came of one consent
};

/// A dialogue in the browser from /authorize or /device to its end. Its id is in every form.
struct Flow {
    std::string client{};
    std::string redirect_uri{};   // empty: of a device
    std::string response_mode{};  // query, fragment, form_post
    std::string state{};
    std::string nonce{};
    std::string challenge{};  // of PKCE, S256; empty: none
    std::string prompt{};
    std::string login_hint{};
    std::string tenant_form{};
    std::vector<std::string> scopes{};
    bool offline = true;         // a refresh token is wanted
    bool consent_shown = false;  // Google: no refresh token otherwise
    std::string device_code{};   // empty: of a redirect
    std::string account{};       // chosen or signed in; empty: not yet
    Monotonic until{};
};

struct AuthorizationCode {
    Grant grant{};
    std::string redirect_uri{};
    std::string challenge{};
    std::string nonce{};
    bool offline = true;
    bool used = false;
    Monotonic until{};
};

struct DeviceCode {
    enum class State { waiting, approved, declined, used };
    std::string user_code{};
    Grant grant{};  // its user once approved
    State state = State::waiting;
    std::chrono::seconds interval{};
    Monotonic polled{};  // last; the epoch: never
    Monotonic until{};
};

/// What the identity provider knows besides tokens and mailboxes. One thread. Everything follows from the clock and the
/// randomness that were handed in. Dialogues are in authorize.cpp, device.cpp, token_endpoint.cpp and discovery.cpp.
class IdentityProvider {
public:
    IdentityProvider(IdentityRules given, const Clock& clock, Random& random)
        : rules(std::move(given)), clock_(clock), random_(random) {}

    IdentityRules rules;
    std::map<std::string, Client, std::less<>> clients;
    std::map<std::string, ServiceAccount, std::less<>> service_accounts;
    std::map<std::string, Account, std::less<>> people;  // without a mailbox, by lowered name
    /// Who is signed in on the workstation, whatever browser asks; more sign in with each browser's cookie.
    std::vector<std::string> workstation;
    std::map<std::string, std::vector<std::string>, std::less<>> browsers;
    std::map<std::string, Flow, std::less<>> flows;
    std::map<std::string, AuthorizationCode, std::less<>> codes;
    std::map<std::string, DeviceCode, std::less<>> devices;
    std::map<std::string, Grant, std::less<>> grants;          // by refresh token; those of an earlier run are unknown
    std::map<std::string, Monotonic, std::less<>> assertions;  // ids that were used, until they are stale anyway

    [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
    [[nodiscard]] std::int64_t seconds_now() const;
    /// Bytes by chance, base64url.
    std::string drawn(std::size_t bytes);
    std::string uuid();
    /// "BCDF-GHJK" for people to type.
    std::string drawn_user_code();

    /// The key that signs now; made when first asked for.
    const RsaKey& signing_key();
    /// Those that are served.
    std::vector<RsaKey> served_keys();
    /// A new key signs from now on; the old one is served as long.
    void rotate_keys(std::chrono::seconds old_one_served_for);

    [[nodiscard]] bool consented(std::string_view client, std::string_view user,
                                 const std::vector<std::string>& scopes) const;
    void consent(std::string_view client, std::string_view user, const std::vector<std::string>& scopes);
    void forget_consent(std::string_view client, std::string_view user);

    std::uint64_t new_family() { return ++families_; }
    void remember_access_token(std::uint64_t family, std::string token) { given_[family].push_back(std::move(token)); }
    /// Nothing of it works any more; returns its access tokens.
    std::vector<std::string> end_family(std::uint64_t family);
    [[nodiscard]] bool family_ended(std::uint64_t family) const { return ended_.contains(family); }

    /// Lets go of what is long over.
    void forget_old();

private:
    struct OldKey {
        RsaKey key;
        Monotonic until{};
    };
    const Clock& clock_;
    Random& random_;
    std::optional<RsaKey> key_;
    std::vector<OldKey> old_keys_;
    std::map<std::pair<std::string, std::string>, std::set<std::string>> consents_;
    std::map<std::uint64_t, std::vector<std::string>> given_;
    std::set<std::uint64_t> ended_;
    std::uint64_t families_ = 0;
};

/// A uuid that follows from `name`.
std::string uuid_of(std::string_view name);
/// "a b c" as a list.
std::vector<std::string> scopes_in(std::string_view text);
std::string joined(const std::vector<std::string>& scopes);
bool holds(const std::vector<std::string>& scopes, std::string_view scope);
/// The registered URI that answers `asked`. Equal to the letter; only the port of http://localhost is free (Entra), and
/// that of a loopback URI registered without one (Google).
bool redirect_registered(const Client& client, std::string_view asked, Manner manner);

}  // namespace sim
