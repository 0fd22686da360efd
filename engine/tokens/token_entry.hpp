#pragma once

#include <deque>

#include "engine/tokens/grant_record.hpp"
#include "engine/tokens/token_service.hpp"
#include "protocols/oauth2/assertion.hpp"
#include "protocols/wait/parking.hpp"

namespace tokens {

/// All that the service knows of one credential.
struct TokenService::Entry : std::enable_shared_from_this<Entry> {
    Entry(TokenService& of, std::shared_ptr<Published> to)
        : service(of), published(std::move(to)), alarm(of.uses_.timers, ring, this) {}

    TokenService& service;
    std::shared_ptr<Published> published;
    Timer alarm;          // a successor is due, or the token ends
    bool wanted = false;  // somebody asked, or logged in, since the last refresh
    Account account;
    bool needs_load = true;
    bool flying = false;  // a coroutine is at work for it
    bool dirty = false;   // its state is to be written
    bool spent = false;   // its token was refused: not to be handed out again
    Secret client_secret;
    std::optional<jose::PrivateKey> client_key;  // with its certificate, instead of a client secret
    std::optional<jose::Certificate> client_certificate;
    std::optional<oauth2::ServiceAccount> service_account;
    Secret password;
    GrantRecord grant;
    std::optional<GrantRecord> unsaved;  // the next one, while it is not durable
    std::string granted_scope;           // of the newest answer with a token
    std::uint64_t row_generation = 0;    // in the store
    std::uint64_t generation = 0;        // of what is handed out
    Meaning state = Meaning::usable;
    std::string reason;
    std::uint32_t failures = 0;         // in a row
    std::optional<Monotonic> retry_at;  // nothing is tried before
    std::optional<Monotonic> forced_at;
    std::optional<Monotonic> accepted_at;
    std::vector<ReplyTo> waiters;
    std::deque<std::shared_ptr<Parking>> turns;  // who waits to be at work for it

    static void ring(void* entry) {
        auto& self = *static_cast<Entry*>(entry);
        self.service.see_to(self.shared_from_this());
    }
    [[nodiscard]] const std::string& id() const noexcept { return account.credential.id; }
    [[nodiscard]] config::Flow flow() const noexcept { return account.credential.flow; }
    [[nodiscard]] bool has_grant() const noexcept { return flow() != config::Flow::password; }
};

}  // namespace tokens
