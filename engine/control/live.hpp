#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/audit.hpp"
#include "engine/tokens/refresh_plan.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// What only a running daemon knows. Any thread may ask; nothing here waits.
class Live {
public:
    struct MailboxState {
        std::string state;                            // of its session, in a word or two: "idle", "fetching", "waiting"
        std::string reason;                           // why it is not served; empty: it is
        std::optional<WallTime> last_proof;           // when it was last proved that nothing was missed
        std::optional<WallTime> next_attempt;         // when it is tried again
        std::shared_ptr<const runtime::Audit> audit;  // the last comparison with its server; null: none so far
        std::optional<std::uint64_t> shadow_missed;   // of a shadow: what the other product has not taken in time
    };
    struct CredentialState {
        tokens::Meaning meaning = tokens::Meaning::usable;
        std::string reason;
        std::optional<WallTime> access_token_ends;
        std::optional<WallTime> next_attempt;
    };
    /// A consumer that mail is handed off to.
    struct ConsumerState {
        std::string id;
        std::string kind;
        std::string place;  // where its mail lies
        std::uint64_t delivered = 0;
        std::uint64_t waiting_mailboxes = 0;
        std::string reason;  // of the newest failure; empty: it goes well
    };
    /// Something of a credential that ends within 60 days.
    struct Expiring {
        std::string credential;
        std::string what;  // "client secret", "certificate", "refresh token"
        WallTime at{};
        int days_left = 0;  // negative: it is over
        std::string remedy;
    };
    struct Summary {
        WallTime started_at{};
        std::uint64_t sessions = 0;       // connections to mail servers
        std::uint64_t idle_sessions = 0;  // of them, those that wait for news
        std::uint64_t mailboxes = 0;      // being served
        std::uint64_t not_served = 0;     // mailboxes that have a reason
        double messages_per_second = 0;   // stored, over the last ten seconds
        double bytes_per_second = 0;
        std::uint64_t messages_stored = 0;  // since the start
        std::uint64_t messages_delivered = 0;
        double arrival_to_durable_p50_seconds = 0;  // from the last byte received to the commit; upper bounds
        double arrival_to_durable_p99_seconds = 0;
        double durable_to_delivered_p50_seconds = 0;  // from the commit to the consumer's acknowledgement
        double durable_to_delivered_p99_seconds = 0;
        std::uint64_t audited_mailboxes = 0;
        std::uint64_t unaccounted_messages = 0;  // on servers, and unknown to the ledger
        std::optional<WallTime> oldest_audit;    // of the last ones of each mailbox
        std::uint64_t shadows = 0;               // mailboxes that another product serves
        std::uint64_t shadow_missed = 0;         // messages that those products have not taken in time
        std::vector<ConsumerState> consumers;
        std::vector<Expiring> expiring;
    };

    virtual ~Live() = default;
    /// nullopt: the daemon does not serve that mailbox (yet).
    [[nodiscard]] virtual std::optional<MailboxState> mailbox(std::string_view id) const = 0;
    /// Ids of the mailboxes in that state, in order, beginning after `after`.
    [[nodiscard]] virtual std::vector<std::string> mailboxes_in(std::string_view state, std::string_view after,
                                                                std::size_t limit) const = 0;
    /// nullopt: nobody has asked for its token so far.
    [[nodiscard]] virtual std::optional<CredentialState> credential(const std::string& id) const = 0;
    [[nodiscard]] virtual Summary summary() const = 0;
    /// Configuration in the store is different now: load it again.
    virtual void changed() = 0;
    /// The mailbox is compared with its server as soon as it can be: an audit of this moment or later is the one that
    /// was asked for. nullopt: the daemon does not serve it (yet).
    virtual std::optional<WallTime> audit(const std::string& id) = 0;
    /// What is to be done for this mailbox at its server is different now: its session looks again, soon.
    virtual void look_again(std::int64_t mailbox_number) = 0;
    /// Why the mail of a mailbox waits at its consumer; empty: it does not, or goes on.
    [[nodiscard]] virtual std::string hand_off_reason(const std::string&, std::string_view) const { return {}; }
    /// The mailbox was rewound for a consumer: its mail up to this seq is handed off again.
    virtual void rewound(const std::string&, std::int64_t, std::int64_t) {}
    /// A mail that a consumer set aside is tried again. False: nothing is handed off to that consumer.
    virtual bool retry_set_aside(const std::string&, std::int64_t, std::int64_t) { return false; }
    /// Mail of this mailbox was acknowledged.
    virtual void acknowledged(std::int64_t mailbox_number) = 0;
    /// Prometheus text.
    [[nodiscard]] virtual std::string metrics() const = 0;
    /// Returns as soon as the daemon knows whom it serves. Its calls come in on one shard.
    virtual awaitable<void> started() = 0;
    /// Why the daemon is not ready to work, in words; empty: it is.
    [[nodiscard]] virtual std::string not_ready() const = 0;
};

}  // namespace control
