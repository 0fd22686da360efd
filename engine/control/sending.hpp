#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/base/clock.hpp"
#include "queue/store/outbox.hpp"

namespace control {

/// The dispatcher of a running daemon. Any thread; nothing here waits.
class Sending {
public:
    virtual ~Sending() = default;
    /// Something of the mailbox is durable and due then.
    virtual void queued(store::MailboxNumber mailbox, store::Millis due) = 0;
    /// What waits of the mailbox was changed by hand.
    virtual void changed(store::MailboxNumber mailbox) = 0;

    struct State {
        std::string mailbox;
        std::string phase;   // idle, sending, pacing, parked, suspended, cannot send
        std::string reason;  // why it does not send
        std::optional<WallTime> until;
        std::uint64_t connections = 0;
        std::uint64_t recipients_today = 0;
    };
    /// In order of mailbox, as of a moment ago.
    [[nodiscard]] virtual std::vector<State> senders() const = 0;

    /// All mailboxes of one tenant of a provider, together.
    struct TenantState {
        std::string tenant;
        std::uint64_t recipients_today = 0;
        std::uint64_t recipients_per_day = 0;  // 0: no limit
        std::uint64_t mails_per_minute = 0;    // 0: no limit
    };
    /// In order of name, as of a moment ago.
    [[nodiscard]] virtual std::vector<TenantState> tenants() const = 0;
};

}  // namespace control
