#include "engine/tokens/token_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/runtime/log.hpp"
#include "engine/tokens/token_entry.hpp"
#include "protocols/oauth2/pkce.hpp"

namespace tokens {

namespace {

using std::chrono::seconds;

std::string host_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    return std::string(url.substr(0, url.find('/')));
}

std::optional<seconds> since(std::optional<Monotonic> then, Monotonic now) {
    if (!then) return std::nullopt;
    return std::chrono::floor<seconds>(now - *then);
}

/// Whether its access tokens come from a refresh token.
bool refreshes(config::Flow flow) {
    return flow != config::Flow::client_credentials && flow != config::Flow::service_account;
}

}  // namespace

std::string Account::scope() const {
    std::string line;
    for (const auto& word : scopes) line += (line.empty() ? "" : " ") + word;
    return line;
}

/// Something to do on the service's shard, or on that of a client.
template <class Act>
class TokenService::ServiceNote final : public queue::Inbox::Note {
public:
    explicit ServiceNote(Act act) : act_(std::move(act)) {}
    void deliver() noexcept override { act_(); }

private:
    Act act_;
};

template <class Act>
void TokenService::post(Act act) {
    uses_.inbox.put(std::make_unique<ServiceNote<Act>>(std::move(act)));
}

TokenService::TokenService(Uses uses, Options options)
    : uses_(std::move(uses)),
      limiter_(options.per_host_max),
      keys_(uses_.endpoint, uses_.timers.clock()),
      scope_(uses_.shard, [](const std::string& name, const std::string& what) {
          spdlog::error("coroutine={} failed={}", runtime::value(name), runtime::value(what));
      }) {}

TokenService::~TokenService() = default;

void TokenService::set_accounts(std::vector<Account> accounts) {
    std::map<std::string, EntryPointer> kept;
    for (auto& account : accounts) {
        const std::string id = account.credential.id;
        const auto found = entries_.find(id);
        auto entry = found == entries_.end() ? std::make_shared<Entry>(*this, published(id)) : found->second;
        entry->account = std::move(account);
        entry->needs_load = true;
        entry->retry_at.reset();
        kept.emplace(id, std::move(entry));
    }
    entries_.swap(kept);
    for (const auto* all : {&entries_, &kept}) {
        for (const auto& [id, entry] : *all) {
            entry->alarm.disarm();
            entry->published->put(nullptr);
        }
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(states_, [this](const auto& state) { return !entries_.contains(state.first); });
}

std::shared_ptr<Published> TokenService::published(const std::string& credential) {
    const std::lock_guard lock(mutex_);
    auto& place = published_[credential];
    if (!place) place = std::make_shared<Published>();
    return place;
}

awaitable<void> TokenService::close() {
    for (const auto& [id, entry] : entries_) entry->alarm.disarm();
    scope_.cancel();
    co_await scope_.join();
}

void TokenService::ask(std::string credential, ReplyTo reply_to) {
    post([this, credential = std::move(credential), reply_to = std::move(reply_to)]() mutable {
        take_ask(credential, std::move(reply_to));
    });
}

void TokenService::rejected(std::string credential, std::uint64_t generation) {
    post([this, credential = std::move(credential), generation] { take_rejected(credential, generation); });
}

void TokenService::accepted(std::string credential, std::uint64_t generation) {
    post([this, credential = std::move(credential), generation] { take_accepted(credential, generation); });
}

void TokenService::expired(std::string credential, std::uint64_t generation) {
    post([this, credential = std::move(credential), generation] { take_expired(credential, generation); });
}

std::vector<TokenService::State> TokenService::states() const {
    std::vector<State> states;
    const std::lock_guard lock(mutex_);
    for (const auto& [credential, state] : states_) states.push_back(state);
    return states;
}

std::optional<TokenService::State> TokenService::state(const std::string& credential) const {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(credential);
    if (found == states_.end()) return std::nullopt;
    return found->second;
}

TokenService::Stats TokenService::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

void TokenService::take_ask(const std::string& credential, ReplyTo reply_to) {
    const auto found = entries_.find(credential);
    if (found == entries_.end()) {
        Entry unknown(*this, nullptr);
        unknown.reason = fmt::format("there is no credential named {}", credential);
        unknown.state = Meaning::operator_must_act;
        unknown.waiters.push_back(std::move(reply_to));
        answer_waiters(unknown);
        return;
    }
    auto& entry = found->second;
    entry->wanted = true;
    entry->waiters.push_back(std::move(reply_to));
    const bool to_do = (entry->needs_load && due(*entry)) || wants_refresh(*entry);
    if (to_do || entry->flying) {
        fly(entry);
    } else {
        answer_waiters(*entry);
        set_alarm(*entry);
    }
}

void TokenService::keep_alive(const std::string& credential) {
    const auto found = entries_.find(credential);
    if (found == entries_.end()) return;
    auto& entry = found->second;
    if ((entry->needs_load && due(*entry)) || wants_refresh(*entry)) fly(entry);
}

void TokenService::take_rejected(const std::string& credential, std::uint64_t generation) {
    const auto found = entries_.find(credential);
    if (found == entries_.end()) return;
    Entry& entry = *found->second;
    const auto now = uses_.timers.now();
    const bool stale = entry.needs_load || generation != entry.generation;
    const bool known = entry.spent || (entry.state == Meaning::operator_must_act && !due(entry));
    if (stale || known) return;
    const Refusal refusal{.can_refresh = entry.has_grant(),
                          .since_forced_refresh = since(entry.forced_at, now),
                          .since_accepted = since(entry.accepted_at, now)};
    switch (ruling_on(refusal)) {
        case Ruling::ignore:
            return;
        case Ruling::refresh: {
            spdlog::info("credential={} token refused, asking for a new one", entry.id());
            entry.spent = true;
            entry.forced_at = now;
            entry.published->put(nullptr);
            const std::lock_guard lock(mutex_);
            ++stats_.forced;
            return;
        }
        case Ruling::park:
            entry.spent = entry.has_grant();
            fail(entry, Meaning::operator_must_act, parked_for,
                 fmt::format("the mail server refuses {} of {}", entry.spent ? "even a fresh token" : "the password",
                             entry.id()));
            fly(found->second);
    }
}

/// The server's own word on a token that it had taken before: no judgement is needed, only a new one.
void TokenService::take_expired(const std::string& credential, std::uint64_t generation) {
    const auto found = entries_.find(credential);
    if (found == entries_.end()) return;
    Entry& entry = *found->second;
    if (entry.needs_load || generation != entry.generation || entry.spent || !entry.has_grant()) return;
    spdlog::info("credential={} token ended before its time or with it, asking for a new one", entry.id());
    entry.spent = true;
    entry.published->put(nullptr);
}

void TokenService::take_accepted(const std::string& credential, std::uint64_t generation) {
    const auto found = entries_.find(credential);
    if (found == entries_.end() || found->second->generation != generation) return;
    Entry& entry = *found->second;
    entry.accepted_at = uses_.timers.now();
    if (!std::exchange(entry.wanted, true)) set_alarm(entry);
}

/// Its alarm has rung.
void TokenService::see_to(const EntryPointer& entry) {
    if (entry->wanted && wants_refresh(*entry)) {
        fly(entry);
        return;
    }
    publish(*entry);  // its time is over
    set_alarm(*entry);
}

void TokenService::set_alarm(Entry& entry) {
    entry.alarm.disarm();
    if (entry.flying || entry.needs_load || !entry.has_grant()) return;
    std::optional<WallTime::duration> next;
    const auto sooner = [&next](WallTime::duration wait) { next = std::min(next.value_or(wait), wait); };
    const auto& life = entry.grant.life;
    const bool has_token = !entry.grant.access_token.empty() && wall() < life.expires_at;
    if (has_token) sooner(life.expires_at - wall());
    if (entry.wanted && entry.state != Meaning::consent_needed) {
        if (const auto again = retry_at(entry)) {
            sooner(*again - wall());
        } else if (has_token) {
            sooner(life.refresh_at - wall());
        }
    }
    if (next) entry.alarm.arm(uses_.timers.now() + std::max(*next, WallTime::duration(0)));
}

void TokenService::fly(EntryPointer entry) {
    if (std::exchange(entry->flying, true)) return;
    auto name = fmt::format("tokens of {}", entry->id());
    scope_.spawn(std::move(name), flight(std::move(entry)));
}

/// All that a credential needs now, for everybody who waits.
awaitable<void> TokenService::flight(EntryPointer entry) {
    bool refreshed = false;
    for (;;) {  // a load or a refusal may come in between
        if (entry->needs_load && due(*entry)) {
            co_await load(*entry);
        } else if (wants_refresh(*entry) && (!refreshed || entry->spent)) {
            co_await refresh(*entry);
            refreshed = true;  // a token that ends before it arrives is no reason to ask on and on
        } else {
            break;
        }
    }
    if (entry->dirty) {
        co_await save(*entry);
    }
    end_turn(*entry);
}

/// Nobody else is at work for the credential any more.
void TokenService::end_turn(Entry& entry) {
    entry.flying = false;
    publish(entry);
    show(entry);
    set_alarm(entry);
    answer_waiters(entry);
    if (entry.turns.empty()) return;
    entry.flying = true;  // for the next one
    entry.turns.front()->wake();
    entry.turns.pop_front();
}

bool TokenService::due(const Entry& entry) const { return !entry.retry_at || uses_.timers.now() >= *entry.retry_at; }

bool TokenService::wants_refresh(const Entry& entry) const {
    if (entry.needs_load || !entry.has_grant() || !due(entry)) return false;
    if (entry.unsaved) return true;
    if (entry.state == Meaning::consent_needed) return false;
    return entry.spent || entry.grant.access_token.empty() || wall() >= entry.grant.life.refresh_at;
}

awaitable<void> TokenService::refresh(Entry& entry) {
    if (entry.unsaved) {
        co_await save(entry);
        co_return;
    }
    const bool by_refresh_token = refreshes(entry.flow());
    if (by_refresh_token && entry.grant.refresh_token.empty()) {
        fail(entry, Meaning::consent_needed, seconds(0),
             fmt::format("credential {} has no refresh token: authorize it, or import one", entry.id()));
        co_return;
    }
    const auto asked_at = wall();
    Account account = entry.account;
    if (entry.service_account) account.token_url = entry.service_account->token_uri;
    Secret used = by_refresh_token ? entry.grant.refresh_token : Secret();
    auto what = request_of(entry, used);
    if (!what) {
        fail(entry, Meaning::operator_must_act, parked_for,
             fmt::format("credential {}: {}", entry.id(), what.error().message()));
        co_return;
    }
    auto reply = co_await request(account, std::move(*what));
    const bool refused = decision_of(reply.answer, 0, 0).meaning == Meaning::consent_needed;
    if (refused && by_refresh_token && !entry.grant.previous.empty()) {
        // The newest may have been lost on the provider's side; the one before it then still works.
        used = entry.grant.previous;
        what = request_of(entry, used);
        if (what) reply = co_await request(account, std::move(*what));
    }
    const auto stranger = co_await stranger_in(entry, reply);
    if (!stranger.empty()) {
        fail(entry, Meaning::operator_must_act, parked_for, stranger);
        co_return;
    }
    take_reply(entry, std::move(reply), used, asked_at);
    if (entry.unsaved) {
        co_await save(entry);
    }
}

/// Who asks, and how it proves that.
Result<void> TokenService::name_client(const Entry& entry, oauth2::Client& client) const {
    client.client_id = entry.account.credential.client_id;
    if (entry.client_key && entry.client_certificate) {
        auto claims =
            oauth2::client_claims(client.client_id, entry.account.token_url, oauth2::fresh_token(uses_.random), wall());
        auto assertion = oauth2::client_assertion(claims, *entry.client_certificate, *entry.client_key);
        if (!assertion) return assertion.error();
        client.client_assertion = std::move(*assertion);
    } else if (!entry.client_secret.empty()) {
        client.client_secret = entry.client_secret;
        if (entry.account.provider) client.auth = entry.account.provider->client_auth;
    }
    return {};
}

/// What the next token is asked for with.
Result<TokenRequest::What> TokenService::request_of(const Entry& entry, Secret refresh_token) const {
    const std::string scope = entry.account.scope();
    if (entry.flow() == config::Flow::service_account) {
        if (!entry.service_account) return secrets::errc::malformed;
        auto assertion =
            oauth2::service_account_assertion(*entry.service_account, entry.account.credential.user, scope, wall());
        if (!assertion) return assertion.error();
        return TokenRequest::What(oauth2::JwtBearer{.assertion = std::move(*assertion)});
    }
    if (entry.flow() == config::Flow::client_credentials) {
        oauth2::OwnBehalf own_behalf;
        own_behalf.scope = scope;
        const auto named = name_client(entry, own_behalf);
        if (!named) return named.error();
        return TokenRequest::What(std::move(own_behalf));
    }
    oauth2::Refresh refresh;
    refresh.scope = scope;
    refresh.refresh_token = std::move(refresh_token);
    const auto named = name_client(entry, refresh);
    if (!named) return named.error();
    return TokenRequest::What(std::move(refresh));
}

awaitable<TokenReply> TokenService::request(const Account& account, TokenRequest::What what) {
    TokenRequest ask;
    ask.url = account.token_url;
    ask.tls = account.tls;
    ask.what = std::move(what);
    auto permit = co_await limiter_.permit(host_of(account.token_url));
    {
        const std::lock_guard lock(mutex_);
        ++stats_.requests;
    }
    auto reply = co_await uses_.endpoint.ask(std::move(ask));
    co_return reply;
}

void TokenService::take_reply(Entry& entry, TokenReply reply, const Secret& used, WallTime asked_at) {
    reply.answer.has_token = reply.answer.has_token && !reply.access_token.empty();
    auto decision = decision_of(reply.answer, entry.failures, uses_.random.fraction());
    if (!refreshes(entry.flow())) decision = without_person(decision, uses_.random.fraction());
    if (decision.meaning != Meaning::usable) {
        ++entry.failures;
        fail(entry, decision.meaning, decision.wait,
             fmt::format("asking {} for a token of {}: {}", host_of(entry.account.token_url), entry.id(), reply.says));
        return;
    }
    const bool rotated = !reply.refresh_token.empty() && !(reply.refresh_token == used);
    GrantRecord next;
    next.refresh_token = rotated ? std::move(reply.refresh_token) : used;
    next.previous = rotated ? used : entry.grant.previous;
    next.access_token = std::move(reply.access_token);
    next.seed = entry.grant.seed;
    next.owner = entry.grant.owner;
    next.signed_in_at = entry.grant.signed_in_at;
    next.refresh_token_at = rotated ? asked_at : entry.grant.refresh_token_at;
    next.life = lifetime_of(asked_at, reply.expires_in, uses_.random.fraction());
    entry.granted_scope = std::move(reply.scope);
    entry.unsaved = std::move(next);
}

void TokenService::fail(Entry& entry, Meaning state, seconds wait, std::string reason) {
    spdlog::warn("credential={} state={} next_s={} reason={}", entry.id(), runtime::value(words_of(state)),
                 wait.count(), runtime::value(reason));
    const bool lasting = state == Meaning::consent_needed || state == Meaning::operator_must_act;
    const bool to_write = lasting && !entry.needs_load && entry.has_grant() && entry.state != state;
    entry.dirty = entry.dirty || to_write;
    entry.state = state;
    entry.reason = std::move(reason);
    entry.retry_at.reset();
    if (wait.count() > 0) entry.retry_at = uses_.timers.now() + wait;
    show(entry);
    const std::lock_guard lock(mutex_);
    ++stats_.failures;
}

void TokenService::answer_waiters(Entry& entry) {
    for (auto& waiter : std::exchange(entry.waiters, {})) {
        auto deliver = [take = std::move(waiter.take), answer = answer_of(entry)] { take(answer); };
        waiter.inbox->put(std::make_unique<ServiceNote<decltype(deliver)>>(std::move(deliver)));
    }
}

TokenAnswer TokenService::answer_of(const Entry& entry) const {
    const auto again = retry_at(entry);
    Token token;
    token.user = entry.account.credential.user;
    token.generation = entry.generation;
    if (!entry.has_grant() && !entry.password.empty() && due(entry)) {
        token.kind = Token::Kind::password;
        token.secret = entry.password;
        return token;
    }
    if (!entry.spent && !entry.grant.access_token.empty() && wall() < entry.grant.life.expires_at) {
        token.secret = entry.grant.access_token;
        token.expires_at = entry.grant.life.expires_at;
        return token;
    }
    const bool person_needed = entry.state == Meaning::consent_needed || entry.state == Meaning::operator_must_act;
    return NoToken{
        .reason = entry.reason.empty() ? fmt::format("there is no token of {} yet", entry.id()) : entry.reason,
        .person_needed = person_needed,
        .retry_at = again};
}

std::optional<WallTime> TokenService::retry_at(const Entry& entry) const {
    if (!entry.retry_at) return std::nullopt;
    const auto wait = std::max(Monotonic::duration(0), *entry.retry_at - uses_.timers.now());
    return wall() + std::chrono::duration_cast<WallTime::duration>(wait);
}

/// What answer_of() says, for everybody to read.
void TokenService::publish(Entry& entry) {
    const auto answer = answer_of(entry);
    const auto* token = entry.needs_load ? nullptr : std::get_if<Token>(&answer);
    entry.published->put(token == nullptr ? nullptr : std::make_shared<const Token>(*token));
}

void TokenService::show(const Entry& entry) {
    State state{.credential = entry.id(),
                .state = entry.state,
                .reason = entry.reason,
                .expires_at = entry.grant.access_token.empty() ? WallTime() : entry.grant.life.expires_at,
                .retry_at = retry_at(entry)};
    const std::lock_guard lock(mutex_);
    states_[entry.id()] = std::move(state);
}

}  // namespace tokens
