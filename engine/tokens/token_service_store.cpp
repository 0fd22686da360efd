/// How the token service reads and keeps its grants.

#include <fmt/format.h>

#include <algorithm>

#include "engine/runtime/log.hpp"
#include "engine/tokens/token_entry.hpp"

namespace tokens {

/// Sealed, as they lie in the store.
struct TokenService::Stored {
    std::optional<std::string> client_secret, private_key, certificate, service_account, refresh_token, password;
    std::optional<store::Grant> grant;
};

struct TokenService::LoadWork {
    std::string credential;

    Result<Stored> operator()(store::Workbench bench) const {
        Stored stored;
        const std::pair<const char*, std::optional<std::string>*> secrets[]{
            {"client_secret", &stored.client_secret}, {"private_key", &stored.private_key},
            {"certificate", &stored.certificate},     {"service_account", &stored.service_account},
            {"refresh_token", &stored.refresh_token}, {"password", &stored.password}};
        for (const auto& [name, place] : secrets) {
            auto sealed = bench.store.secret(credential, name);
            if (!sealed) return sealed.error();
            *place = std::move(*sealed);
        }
        auto grant = bench.store.grant(credential);
        if (!grant) return grant.error();
        stored.grant = std::move(*grant);
        return stored;
    }
};

struct TokenService::SaveWork {
    store::Grant row;

    Result<void> operator()(store::Workbench bench) const { return bench.store.put_grant(row); }
};

awaitable<void> TokenService::load(Entry& entry) {
    entry.needs_load = false;  // set_accounts() may ask for another load meanwhile
    LoadWork work{.credential = entry.id()};
    auto stored = co_await uses_.committer.run(uses_.inbox, std::move(work));
    auto adopted = stored ? adopt(entry, *stored) : Result<void>(stored.error());
    if (adopted) co_return;
    entry.needs_load = true;
    const bool passes = !stored;
    fail(entry, passes ? Meaning::retry : Meaning::operator_must_act,
         passes ? pause_after(++entry.failures, uses_.random.fraction()) : parked_for,
         fmt::format("cannot read the secrets of {}: {}", entry.id(), adopted.error().message()));
}

Result<void> TokenService::adopt(Entry& entry, const Stored& stored) {
    const auto opened = [this, &entry](std::string_view name, const std::optional<std::string>& sealed) {
        return sealed ? uses_.keyring.unseal(entry.id(), name, *sealed) : Result<Secret>(Secret());
    };
    auto client_secret = opened("client_secret", stored.client_secret);
    if (!client_secret) return client_secret.error();
    auto private_key = opened("private_key", stored.private_key);
    if (!private_key) return private_key.error();
    auto certificate = opened("certificate", stored.certificate);
    if (!certificate) return certificate.error();
    auto service_account = opened("service_account", stored.service_account);
    if (!service_account) return service_account.error();
    auto password = opened("password", stored.password);
    if (!password) return password.error();
    auto imported = opened("refresh_token", stored.refresh_token);
    if (!imported) return imported.error();
    entry.client_key.reset();
    entry.client_certificate.reset();
    entry.service_account.reset();
    if (!private_key->empty()) {
        auto key = jose::read_private_key(*private_key);
        if (!key) return key.error();
        auto proof = jose::read_certificate(certificate->reveal());
        if (!proof) return proof.error();
        entry.client_key = std::move(*key);
        entry.client_certificate = std::move(*proof);
    }
    if (!service_account->empty()) {
        auto account = oauth2::read_service_account(*service_account);
        if (!account) return account.error();
        entry.service_account = std::move(*account);
    }
    entry.client_secret = std::move(*client_secret);
    entry.password = std::move(*password);
    entry.state = Meaning::usable;
    entry.reason.clear();
    entry.retry_at.reset();
    entry.failures = 0;
    entry.spent = false;
    entry.unsaved.reset();
    ++entry.generation;
    if (stored.grant) return adopt_grant(entry, *stored.grant, std::move(*imported));
    entry.grant = GrantRecord();
    entry.granted_scope.clear();
    entry.grant.seed = seed_of(*imported);
    entry.grant.refresh_token = std::move(*imported);
    return {};
}

/// Goes on with the stored grant, unless another refresh token was imported since.
Result<void> TokenService::adopt_grant(Entry& entry, const store::Grant& grant, Secret imported) {
    auto bytes = uses_.keyring.unseal(entry.id(), secrets::grant_name, grant.sealed);
    if (!bytes) return bytes.error();
    auto record = decoded(*bytes);
    if (!record) return secrets::errc::malformed;
    entry.row_generation = grant.generation;
    entry.generation = std::max(entry.generation, grant.generation);
    auto seed = seed_of(imported);
    if (goes_on(*record, imported)) {
        entry.grant = std::move(*record);
        entry.grant.seed = std::move(seed);
        if (grant.state == words_of(Meaning::consent_needed)) {
            entry.state = Meaning::consent_needed;
            entry.reason = grant.reason;
        }
        return {};
    }
    entry.grant = GrantRecord();
    entry.granted_scope.clear();
    entry.grant.refresh_token = std::move(imported);
    entry.grant.seed = std::move(seed);
    return {};
}

/// The new grant, or what became of the old one. Nobody gets a token whose refresh token could be lost.
awaitable<void> TokenService::save(Entry& entry) {
    const bool fresh = entry.unsaved.has_value();
    const GrantRecord& record = fresh ? *entry.unsaved : entry.grant;
    SaveWork work;
    work.row.credential = entry.id();
    work.row.generation = entry.row_generation + 1;
    work.row.sealed = uses_.keyring.seal(entry.id(), secrets::grant_name, encoded(record));
    work.row.access_expires_at = std::chrono::floor<std::chrono::milliseconds>(record.life.expires_at);
    work.row.state = words_of(fresh ? Meaning::usable : entry.state);
    work.row.reason = fresh ? std::string() : entry.reason;
    entry.dirty = false;
    auto saved = co_await uses_.committer.run(uses_.inbox, std::move(work));
    if (saved) {
        ++entry.row_generation;
        if (fresh) note_fresh(entry);
        co_return;
    }
    const auto reason = fmt::format("cannot store the tokens of {}: {}", entry.id(), saved.error().message());
    if (fresh) {
        fail(entry, Meaning::retry, pause_after(++entry.failures, uses_.random.fraction()), reason);
    } else {
        spdlog::warn("credential={} reason={}", entry.id(), runtime::value(reason));
    }
}

void TokenService::note_fresh(Entry& entry) {
    entry.grant = std::move(*entry.unsaved);
    entry.unsaved.reset();
    entry.generation = std::max(entry.generation + 1, entry.row_generation);
    if (entry.spent) entry.forced_at = uses_.timers.now();
    entry.spent = false;
    entry.dirty = false;
    entry.wanted = !entry.waiters.empty();
    entry.accepted_at.reset();
    entry.failures = 0;
    entry.retry_at.reset();
    entry.state = Meaning::usable;
    entry.reason.clear();
    spdlog::info("credential={} token refreshed, lives_s={}", entry.id(),
                 std::chrono::floor<std::chrono::seconds>(entry.grant.life.expires_at - wall()).count());
    const std::lock_guard lock(mutex_);
    ++stats_.refreshes;
}

}  // namespace tokens
