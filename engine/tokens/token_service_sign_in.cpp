/// How a person's sign-in becomes a credential's grant.

#include <fmt/format.h>

#include <exception>

#include "engine/config/presets.hpp"
#include "engine/runtime/log.hpp"
#include "engine/tokens/token_entry.hpp"
#include "protocols/base/text.hpp"

namespace tokens {

namespace {

using Is = SignInResult::Is;

SignInResult result(Is is, std::string says) {
    SignInResult result;
    result.is = is;
    result.says = std::move(says);
    return result;
}

oauth2::ExpectedIdentity expected_of(const Account& account, const GrantOwner& owner) {
    using Provider = oauth2::ExpectedIdentity::Provider;
    oauth2::ExpectedIdentity expected;
    const auto& provider = *account.provider;
    expected.provider = provider.preset == "microsoft365" ? Provider::entra
                        : provider.preset == "gmail"      ? Provider::google
                                                          : Provider::other;
    expected.user = account.credential.user;
    expected.tenant = provider.tenant;
    if (!owner.object_id.empty()) expected.bound = oauth2::Binding{owner.tenant, owner.object_id, owner.user};
    return expected;
}

}  // namespace

/// Whose an answer is. Without `verdict`: why that cannot be told; `unasked`: the configuration does not say how to.
struct TokenService::Proof {
    std::optional<oauth2::IdentityVerdict> verdict;
    bool unasked = false;
    std::string why;
};

std::optional<Account> TokenService::account(const std::string& credential) const {
    const auto found = entries_.find(credential);
    if (found == entries_.end()) return std::nullopt;
    return found->second->account;
}

std::optional<TokenService::GrantFacts> TokenService::grant_of(const std::string& credential) const {
    const auto found = entries_.find(credential);
    if (found == entries_.end()) return std::nullopt;
    const auto& entry = *found->second;
    GrantFacts facts;
    facts.has_refresh_token = !entry.grant.refresh_token.empty();
    facts.owner = entry.grant.owner;
    facts.signed_in_at = entry.grant.signed_in_at;
    facts.refresh_token_at = entry.grant.refresh_token_at;
    facts.scope = entry.granted_scope;
    if (entry.client_certificate) facts.ends.certificate = entry.client_certificate->not_after;
    facts.ends.refresh_token_used_at = refresh_token_used_at(entry.grant);
    return facts;
}

/// Waits until nobody else is at work for the credential. end_turn() lets the next one in.
awaitable<void> TokenService::take_turn(EntryPointer entry) {
    if (!std::exchange(entry->flying, true)) co_return;
    auto turn = std::make_shared<Parking>();
    entry->turns.push_back(turn);
    std::exception_ptr cancelled;
    try {
        co_await turn->wait();
    } catch (...) {
        cancelled = std::current_exception();
    }
    if (!cancelled) co_return;
    if (std::erase(entry->turns, turn) == 0) end_turn(*entry);  // it was given the turn in the same moment
    std::rethrow_exception(cancelled);
}

awaitable<SignInResult> TokenService::sign_in(std::string credential, SignedIn signed_in) {
    const auto found = entries_.find(credential);
    if (found == entries_.end()) co_return result(Is::unknown, fmt::format("there is no credential {}", credential));
    const auto entry = found->second;
    co_await take_turn(entry);
    SignInResult outcome;
    std::exception_ptr cancelled;
    try {
        outcome = co_await sign_in_now(*entry, std::move(signed_in));
    } catch (...) {
        cancelled = std::current_exception();
    }
    end_turn(*entry);  // whatever became of it: others need the credential
    if (cancelled) std::rethrow_exception(cancelled);
    co_return outcome;
}

/// Who asks for a device code; a confidential client proves itself. RFC 8628 §3.1. Empty, or in words what is wrong.
awaitable<std::string> TokenService::name_device(EntryPointer entry, oauth2::DeviceRequest& request) {
    co_await take_turn(entry);
    std::exception_ptr cancelled;
    try {
        if (entry->needs_load) co_await load(*entry);
    } catch (...) {
        cancelled = std::current_exception();
    }
    std::string why;
    if (entry->needs_load) {
        why = entry->reason;
    } else if (const auto named = name_client(*entry, request); !named) {
        why = named.error().message();
    }
    end_turn(*entry);
    if (cancelled) std::rethrow_exception(cancelled);
    co_return why;
}

awaitable<std::variant<oauth2::DeviceCode, std::string>> TokenService::device_code_for(std::string credential) {
    using Reply = std::variant<oauth2::DeviceCode, std::string>;
    const auto entry = entries_.at(credential);
    const Account account = entry->account;
    oauth2::DeviceRequest request;
    request.scope = account.scope();
    auto why = co_await name_device(entry, request);
    if (!why.empty()) co_return Reply(std::move(why));
    oauth2::Post post{.form = oauth2::form_of(request), .authorization = oauth2::authorization_of(request)};
    auto answer = co_await uses_.endpoint.ask_device(account.provider->device_url, account.tls, std::move(post));
    if (!answer) co_return Reply(fmt::format("{}: {}", account.provider->device_url, answer.error().message()));
    if (const auto* refusal = std::get_if<oauth2::Refusal>(&*answer))
        co_return Reply(fmt::format("{}: {}", refusal->error, oauth2::said_in(*refusal)));
    co_return Reply(std::move(std::get<oauth2::DeviceCode>(*answer)));
}

awaitable<SignInResult> TokenService::sign_in_now(Entry& entry, SignedIn signed_in) {
    if (entry.needs_load) co_await load(entry);
    if (entry.needs_load) co_return result(Is::not_stored, entry.reason);
    const bool named = std::visit(
        [&](auto& what) {
            if constexpr (std::is_base_of_v<oauth2::Client, std::decay_t<decltype(what)>>) {
                return name_client(entry, what).has_value();
            }
            return true;
        },
        signed_in.what);
    if (!named) co_return result(Is::not_stored, "the private key of the client cannot sign");
    const auto asked_at = wall();
    const Account account = entry.account;
    auto reply = co_await request(account, std::move(signed_in.what));
    if (!reply.answer.has_token) {
        const bool pending = reply.answer.error == "authorization_pending" || reply.answer.error == "slow_down";
        auto outcome = result(pending ? Is::pending : reply.refusal ? Is::refused : Is::no_answer, reply.says);
        outcome.refusal = reply.refusal;
        co_return outcome;
    }
    if (reply.refresh_token.empty()) {
        co_return result(Is::no_refresh,
                         "the provider gave no refresh token: the scopes lack offline_access, or the consent was not "
                         "asked for again (prompt=consent)");
    }
    oauth2::IdTokenDemand demand;
    demand.nonce = std::move(signed_in.nonce);
    auto proof = co_await prove(entry, reply, std::move(demand));
    if (!proof.verdict && !proof.unasked) co_return result(Is::unproven, proof.why);
    if (proof.verdict && proof.verdict->is != oauth2::IdentityVerdict::Is::same) {
        const bool unclear = proof.verdict->is == oauth2::IdentityVerdict::Is::cannot_tell;
        auto outcome = result(unclear ? Is::unproven : Is::wrong_person, proof.verdict->why);
        outcome.verdict = *proof.verdict;
        spdlog::warn("credential={} id=wrong-identity who={} expected={}", entry.id(),
                     runtime::value(outcome.verdict.who), runtime::value(outcome.verdict.expected));
        co_return outcome;
    }
    GrantRecord next;
    next.refresh_token = std::move(reply.refresh_token);
    next.access_token = std::move(reply.access_token);
    next.seed = entry.grant.seed;
    next.life = lifetime_of(asked_at, reply.expires_in, uses_.random.fraction());
    if (proof.verdict)
        next.owner = {proof.verdict->binding.tenant, proof.verdict->binding.object_id, proof.verdict->binding.user};
    next.signed_in_at = next.refresh_token_at = asked_at;
    entry.granted_scope = std::move(reply.scope);
    entry.unsaved = std::move(next);
    co_await save(entry);
    if (entry.unsaved) {
        entry.unsaved.reset();  // it may be asked for again
        co_return result(Is::not_stored, entry.reason);
    }
    auto outcome = result(Is::stored, proof.unasked ? proof.why : std::string());
    if (proof.verdict) outcome.verdict = *proof.verdict;
    spdlog::info(
        "credential={} signed in as {}", entry.id(),
        runtime::value(proof.verdict ? proof.verdict->who : std::string("somebody the provider does not name")));
    co_return outcome;
}

awaitable<TokenService::Proof> TokenService::prove(const Entry& entry, const TokenReply& reply,
                                                   oauth2::IdTokenDemand demand) {
    const Account account = entry.account;
    const auto expected = expected_of(account, entry.grant.owner);
    Proof proof;
    demand.client_id = account.credential.client_id;
    demand.issuers = config::issuers_of(*account.provider);
    if (account.provider->jwks_url.empty() || demand.issuers.empty()) {
        proof.unasked = true;
        proof.why =
            fmt::format("who signed in was not checked: provider {} has no jwks_url and issuer", account.provider->id);
        co_return proof;
    }
    if (reply.id_token.empty()) {
        proof.why = "the provider did not say who signed in (no id_token: the scopes lack openid)";
        co_return proof;
    }
    auto token = co_await keys_.read(account.provider->jwks_url, account.tls, reply.id_token, std::move(demand));
    if (!token) {
        proof.why = fmt::format("who signed in cannot be told: {}", token.error().message());
        co_return proof;
    }
    proof.verdict = oauth2::compare(*token, expected);
    co_return proof;
}

/// Why a refresh must not be taken: its token is of somebody else than the sign-in was. Empty: nothing speaks against
/// it. Keys that cannot be fetched do not either: they must not harm a grant.
awaitable<std::string> TokenService::stranger_in(const Entry& entry, const TokenReply& reply) {
    const bool bound = !entry.grant.owner.object_id.empty() && entry.account.provider;
    if (!bound || !reply.answer.has_token || reply.id_token.empty()) co_return std::string();
    oauth2::IdTokenDemand demand;
    demand.occasion = oauth2::IdTokenDemand::Occasion::refresh;
    const auto proof = co_await prove(entry, reply, std::move(demand));
    if (!proof.verdict || proof.verdict->is == oauth2::IdentityVerdict::Is::same) co_return std::string();
    co_return fmt::format("the provider gave a token of somebody else than {}: {}", entry.account.credential.user,
                          proof.verdict->why);
}

}  // namespace tokens
