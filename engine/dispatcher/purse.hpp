#pragma once

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

/// What a spender and its tenant have spent of a day's recipients, read once and used within one transaction of the
/// committer.
///
/// Days are kept in the store, a short row for each mailbox and tenant, written in the transaction that takes a mail
/// out of the queue: a new process goes on counting where the last one died. They could be counted from what was
/// settled within a day as well, but that is a walk over every submission of the last week (settled ones are kept so
/// long, and attempts that reached nobody would be missing): with a million of them, seconds before the first mail
/// leaves, against some microseconds a mail.
class Purse {
public:
    /// Of a spender that nothing is counted for, it is empty and gives everything.
    static Result<Purse> of(store::Store& store, const Spender& spender);

    /// When mail to that many may be taken out of the queue; nullopt: now.
    [[nodiscard]] std::optional<store::Millis> next(std::uint32_t recipients, store::Millis now) const;
    Result<void> spend(std::uint32_t recipients, store::Millis now);
    /// Of what was spent at `then`, so many recipients were not reached.
    Result<void> give_back(std::uint32_t recipients, store::Millis then);
    /// Recipients of the mailbox; 0 when they are not counted.
    [[nodiscard]] std::uint64_t today(store::Millis now) const { return mailbox_.day.recipients(now); }

    static Result<std::uint64_t> today(store::Store& store, store::MailboxNumber mailbox, store::Millis now);
    static Result<std::uint64_t> today(store::Store& store, const std::string& tenant, store::Millis now);

private:
    struct Pocket {
        std::string row;  // empty: nothing is counted
        std::uint32_t limit = 0;
        Day day{};
    };
    explicit Purse(store::Store& store) : store_(&store) {}
    static Result<void> fill(store::Store& store, Pocket& pocket);
    Result<void> write(const Pocket& pocket);

    store::Store* store_;
    Pocket mailbox_, tenant_;
};

}  // namespace dispatcher
