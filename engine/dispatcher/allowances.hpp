#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/dispatcher/pace.hpp"
#include "queue/store/store.hpp"

namespace dispatcher {

/// All mailboxes that send through one tenant of a provider, together.
struct Tenant {
    std::string id;  // empty: no tenant is known, nothing is counted
    PaceLimits limits{0, 0};
};

/// Whose allowance a mail is counted against.
struct Spender {
    store::MailboxNumber mailbox = 0;
    std::uint32_t recipients_per_day = 0;
    Tenant tenant{};
};

/// What mailboxes and tenants have spent of a day's recipients, and tenants of a minute's mails. The committer's thread
/// only: it is the one place where the mailboxes of a tenant meet, whatever shard they send from.
///
/// Days are kept in the store, a short row for each mailbox and tenant, written in the transaction that takes a mail
/// out of the queue: a new process goes on counting where the last one died. They could be counted from what was
/// settled within a day as well, but that is a walk over every submission of the last week (settled ones are kept so
/// long, and attempts that reached nobody would be missing): with a million of them, seconds before the first mail
/// leaves, against some microseconds a mail.
class Allowances {
public:
    /// When mail to that many may be taken out of the queue; nullopt: now.
    Result<std::optional<store::Millis>> next(store::Store& store, const Spender& spender, std::uint32_t recipients,
                                              store::Millis now);
    Result<void> spend(store::Store& store, const Spender& spender, std::uint32_t recipients, store::Millis now);
    /// Of what was spent at `then`, so many recipients were not reached.
    Result<void> give_back(store::Store& store, const Spender& spender, std::uint32_t recipients, store::Millis then);

    /// A tenant's next moment for a mail, which belongs to whoever asked from then on: many who wait do not ask again
    /// and again. nullopt: now.
    std::optional<store::Millis> reserve(const Tenant& tenant, store::Millis now);

    static Result<std::uint64_t> today(store::Store& store, store::MailboxNumber mailbox, store::Millis now);
    static Result<std::uint64_t> today(store::Store& store, const std::string& tenant, store::Millis now);

private:
    std::map<std::string, Pace> paces_;  // by tenant
};

}  // namespace dispatcher
