#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/runtime/scope.hpp"
#include "engine/secrets/keyring.hpp"
#include "engine/tokens/endpoint.hpp"
#include "engine/tokens/forecast.hpp"
#include "engine/tokens/grant_record.hpp"
#include "engine/tokens/identity_keys.hpp"
#include "engine/tokens/limiter.hpp"
#include "engine/tokens/published.hpp"
#include "engine/tokens/token.hpp"
#include "protocols/base/random.hpp"
#include "protocols/oauth2/identity.hpp"
#include "protocols/wait/timers.hpp"
#include "queue/inbox.hpp"
#include "queue/store/committer.hpp"

namespace tokens {

/// A credential and what its tokens are asked for with.
struct Account {
    config::Credential credential;
    std::string token_url;
    std::shared_ptr<const net::TlsClient> tls;
    std::vector<std::string> scopes;
    std::shared_ptr<const config::Provider> provider{};

    /// The scopes as requests have them.
    [[nodiscard]] std::string scope() const;
};

/// A person has signed in: what is redeemed for a grant, and what its id_token must be for.
struct SignedIn {
    TokenRequest::What what;  // without the client, which the service knows
    std::string nonce;        // empty: none was sent
};

/// What a sign-in came to. Only `stored` changed anything.
struct SignInResult {
    enum class Is {
        stored,         // durable: the credential's tokens come from it from now on
        pending,        // device flow: not signed in yet
        refused,        // by the provider, in `refusal`
        no_answer,      // of the provider
        wrong_person,   // `verdict` says who signed in and who was expected
        unproven,       // who signed in cannot be told
        no_refresh,     // a grant without refresh token
        not_stored,     // the store failed
        other_browser,  // it is not the browser that the sign-in was begun in; it can still be finished from there
        unknown,        // there is no such credential
    } is = Is::unknown;
    std::string says;  // for people; holds no secret
    std::optional<oauth2::Refusal> refusal{};
    oauth2::IdentityVerdict verdict{};
};

/// Where an answer goes: `take` runs on the asking shard.
struct ReplyTo {
    queue::Inbox* inbox = nullptr;
    std::function<void(TokenAnswer)> take;
};

/// Keeps the tokens of all credentials fresh. Lives on one shard; sessions reach it through the TokenClient of theirs.
///
/// One request per credential at a time, all others wait for it; at most `per_host_max` at one host. A new refresh
/// token is durable before the access token is handed out; the one before it is kept as a fall-back. What the provider
/// says is judged in refresh_plan. A token that is in use gets its successor in time; one that nobody has asked for or
/// logged in with since the last refresh gets none. Ends after the loop of its shard has ended.
class TokenService {
public:
    struct Uses {
        asio::any_io_executor shard;
        queue::Inbox& inbox;  // of the shard
        Timers& timers;
        Random& random;
        store::Committer& committer;
        const secrets::Keyring& keyring;
        TokenEndpoint& endpoint;
    };
    struct Options {
        std::size_t per_host_max = 8;  // requests at once
    };
    TokenService(Uses uses, Options options);
    ~TokenService();

    /// On the shard, at start and after an import: these are the accounts; their secrets are read anew when next
    /// needed.
    void set_accounts(std::vector<Account> accounts);
    /// On the shard: ends what is under way.
    awaitable<void> close();
    /// On the shard; nullopt: no such credential.
    [[nodiscard]] std::optional<Account> account(const std::string& credential) const;
    /// What is known of a credential's grant besides its tokens.
    struct GrantFacts {
        bool has_refresh_token = false;
        GrantOwner owner;
        WallTime signed_in_at{};      // the epoch: imported
        WallTime refresh_token_at{};  // the epoch: not known
        std::string scope;            // as the provider granted it last in this process; empty: not said
        Ends ends;
    };
    /// On the shard, after its token was asked for; nullopt: no such credential.
    [[nodiscard]] std::optional<GrantFacts> grant_of(const std::string& credential) const;
    /// On the shard: redeems it, proves whose it is, and keeps the grant durably. Whoever asks for the token meanwhile
    /// waits. A grant that is not of the credential's user is not stored, and the old one stays.
    awaitable<SignInResult> sign_in(std::string credential, SignedIn signed_in);
    /// On the shard: a code for a person to enter at another machine; or, in words, why there is none. The credential
    /// is there, and its provider has a device_url.
    awaitable<std::variant<oauth2::DeviceCode, std::string>> device_code_for(std::string credential);

    /// On the shard: uses the refresh token if its access token is due, although nobody asks for one.
    void keep_alive(const std::string& credential);

    // Any thread.
    void ask(std::string credential, ReplyTo reply_to);
    void rejected(std::string credential, std::uint64_t generation);
    void accepted(std::string credential, std::uint64_t generation);
    void expired(std::string credential, std::uint64_t generation);
    /// Where the credential's token is read.
    [[nodiscard]] std::shared_ptr<Published> published(const std::string& credential);
    struct State {
        std::string credential;
        Meaning state = Meaning::usable;
        std::string reason;
        WallTime expires_at{};             // of the access token; the epoch: there is none
        std::optional<WallTime> retry_at;  // when something failed
    };
    /// Of the credentials that were asked for so far.
    [[nodiscard]] std::vector<State> states() const;
    [[nodiscard]] std::optional<State> state(const std::string& credential) const;
    struct Stats {
        std::uint64_t requests = 0, refreshes = 0, failures = 0, forced = 0;
    };
    [[nodiscard]] Stats stats() const;

private:
    struct Entry;
    using EntryPointer = std::shared_ptr<Entry>;
    template <class Act>
    class ServiceNote;
    template <class Act>
    void post(Act act);
    struct Stored;
    struct LoadWork;
    struct SaveWork;

    void take_ask(const std::string& credential, ReplyTo reply_to);
    void take_rejected(const std::string& credential, std::uint64_t generation);
    void take_expired(const std::string& credential, std::uint64_t generation);
    void take_accepted(const std::string& credential, std::uint64_t generation);
    awaitable<void> take_turn(EntryPointer entry);
    void end_turn(Entry& entry);
    awaitable<SignInResult> sign_in_now(Entry& entry, SignedIn signed_in);
    awaitable<std::string> name_device(EntryPointer entry, oauth2::DeviceRequest& request);
    struct Proof;
    awaitable<Proof> prove(const Entry& entry, const TokenReply& reply, oauth2::IdTokenDemand demand);
    void see_to(const EntryPointer& entry);
    void set_alarm(Entry& entry);
    void fly(EntryPointer entry);
    awaitable<void> flight(EntryPointer entry);
    awaitable<void> load(Entry& entry);
    Result<void> adopt(Entry& entry, const Stored& stored);
    Result<void> adopt_grant(Entry& entry, const store::Grant& grant, Secret imported);
    awaitable<void> refresh(Entry& entry);
    awaitable<TokenReply> request(const Account& account, TokenRequest::What what);
    [[nodiscard]] Result<TokenRequest::What> request_of(const Entry& entry, Secret refresh_token) const;
    awaitable<std::string> stranger_in(const Entry& entry, const TokenReply& reply);
    [[nodiscard]] Result<void> name_client(const Entry& entry, oauth2::Client& client) const;
    void take_reply(Entry& entry, TokenReply reply, const Secret& used, WallTime asked_at);
    awaitable<void> save(Entry& entry);
    void note_fresh(Entry& entry);
    void fail(Entry& entry, Meaning state, std::chrono::seconds wait, std::string reason);
    void answer_waiters(Entry& entry);
    [[nodiscard]] bool due(const Entry& entry) const;
    [[nodiscard]] bool wants_refresh(const Entry& entry) const;
    [[nodiscard]] TokenAnswer answer_of(const Entry& entry) const;
    [[nodiscard]] std::optional<WallTime> retry_at(const Entry& entry) const;
    [[nodiscard]] WallTime wall() const { return uses_.timers.clock().wall(); }
    void publish(Entry& entry);
    void show(const Entry& entry);

    Uses uses_;
    Limiter limiter_;
    IdentityKeys keys_;
    std::map<std::string, EntryPointer> entries_;

    mutable std::mutex mutex_;  // what any thread may read
    std::map<std::string, State> states_;
    std::map<std::string, std::shared_ptr<Published>> published_;  // never fewer
    Stats stats_;

    runtime::Scope scope_;  // last
};

}  // namespace tokens
