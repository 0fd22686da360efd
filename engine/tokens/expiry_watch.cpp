#include "engine/tokens/expiry_watch.hpp"

#include <fmt/chrono.h>

#include "engine/runtime/log.hpp"
#include "engine/tokens/grant_record.hpp"
#include "protocols/jose/private_key.hpp"

namespace tokens {
namespace {

constexpr WallTime::duration between_looks_max = std::chrono::hours(24);

}  // namespace

/// Sealed, as they lie in the store.
struct ExpiryWatch::Stored {
    std::optional<std::string> certificate;
    std::optional<store::Grant> grant;
};

struct ExpiryWatch::ReadWork {
    std::string credential;

    Result<Stored> operator()(store::Workbench bench) const {
        auto certificate = bench.store.secret(credential, "certificate");
        if (!certificate) return certificate.error();
        auto grant = bench.store.grant(credential);
        if (!grant) return grant.error();
        return Stored{.certificate = std::move(*certificate), .grant = std::move(*grant)};
    }
};

awaitable<void> ExpiryWatch::watch() {
    Timer timer(uses_.timers, ring, this);
    for (;;) {
        auto found = co_await look();
        auto next = between_looks_max;
        for (const auto& expiry : found) {
            warn(expiry);
            const auto wait = until_next_warning(expiry.at, wall());
            if (wait) next = std::min(next, *wait);
        }
        {
            const std::lock_guard lock(mutex_);
            found_ = std::move(found);
        }
        timer.arm(uses_.timers.now() + next);
        co_await look_.wait();
    }
}

void ExpiryWatch::set_accounts(const std::vector<Account>& accounts) {
    subjects_.clear();
    for (const auto& account : accounts) {
        const auto idle_life = account.provider ? idle_life_of(*account.provider) : std::nullopt;
        subjects_.push_back({account.credential, idle_life});
    }
    look_.wake();
}

std::vector<Expiry> ExpiryWatch::expiries() const {
    const std::lock_guard lock(mutex_);
    return found_;
}

/// One after the other, so that others get at the store in between.
awaitable<std::vector<Expiry>> ExpiryWatch::look() {
    const auto subjects = subjects_;  // an import may come in between; it lets us look again
    std::vector<Expiry> found;
    for (const auto& subject : subjects) {
        if (subject.credential.flow == config::Flow::password) continue;
        ReadWork work{.credential = subject.credential.id};
        auto stored = co_await uses_.committer.run(uses_.inbox, std::move(work));
        if (!stored) continue;  // the store's trouble is told elsewhere
        const auto& id = subject.credential.id;
        const auto ends = ends_of(id, *stored);
        for (auto& expiry : expiries_of(subject.credential, subject.idle_life, ends))
            found.push_back(std::move(expiry));
        const auto used_at = ends.refresh_token_used_at;
        if (subject.idle_life && used_at && wall() - *used_at > idle_days_max) uses_.tokens.keep_alive(id);
    }
    co_return found;
}

Ends ExpiryWatch::ends_of(const std::string& id, const Stored& stored) const {
    Ends ends;
    if (stored.certificate) {
        const auto pem = uses_.keyring.unseal(id, "certificate", *stored.certificate);
        const auto certificate = pem ? jose::read_certificate(pem->reveal()) : Result<jose::Certificate>(pem.error());
        if (certificate) ends.certificate = certificate->not_after;
    }
    if (!stored.grant) return ends;
    const auto bytes = uses_.keyring.unseal(id, secrets::grant_name, stored.grant->sealed);
    const auto record = bytes ? decoded(*bytes) : std::nullopt;
    if (record) ends.refresh_token_used_at = refresh_token_used_at(*record);
    return ends;
}

void ExpiryWatch::warn(const Expiry& expiry) {
    const auto warning = warning_at(expiry.at, wall());
    const auto what = std::pair(expiry.credential, expiry.what);
    if (!warning) {
        warned_.erase(what);  // renewed
        return;
    }
    const auto last = warned_.find(what);
    if (last != warned_.end() && last->second == *warning) return;
    warned_[what] = *warning;
    const auto level = *warning <= 7 ? spdlog::level::err : spdlog::level::warn;
    spdlog::log(level, "id=expiry credential={} what={} ends_at={} days_left={} remedy={}", expiry.credential,
                runtime::value(word_of(expiry.what)),
                fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(expiry.at))),
                days_left(expiry.at, wall()), runtime::value(remedy_for(expiry.what)));
}

}  // namespace tokens
