#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "engine/tokens/forecast.hpp"
#include "engine/tokens/token_service.hpp"
#include "protocols/wait/parking.hpp"

namespace tokens {

/// Foretells what ends by itself: logs it at each warning, keeps it for status and metrics, and uses refresh tokens
/// that would otherwise die of disuse. Lives on the token service's shard; ends after the loop of its shard has ended.
class ExpiryWatch {
public:
    struct Uses {
        queue::Inbox& inbox;  // of the shard
        Timers& timers;
        store::Committer& committer;
        const secrets::Keyring& keyring;
        TokenService& tokens;
    };
    explicit ExpiryWatch(Uses uses) : uses_(uses) {}

    /// Looks at all credentials, then whenever the next warning is due, at least daily, until it is cancelled.
    awaitable<void> watch();
    /// On the shard, after an import: these are the credentials now. Looks again.
    void set_accounts(const std::vector<Account>& accounts);
    /// Any thread: all that ends some day, in order of credential.
    [[nodiscard]] std::vector<Expiry> expiries() const;

private:
    struct Subject {
        config::Credential credential;
        std::optional<std::chrono::days> idle_life;
    };
    struct Stored;
    struct ReadWork;
    static void ring(void* watch) { static_cast<ExpiryWatch*>(watch)->look_.wake(); }

    awaitable<std::vector<Expiry>> look();
    [[nodiscard]] Ends ends_of(const std::string& id, const Stored& stored) const;
    void warn(const Expiry& expiry);
    [[nodiscard]] WallTime wall() const { return uses_.timers.clock().wall(); }

    Uses uses_;
    std::vector<Subject> subjects_;
    std::map<std::pair<std::string, Expiry::What>, int> warned_;  // the last warning that was given
    Parking look_;
    mutable std::mutex mutex_;
    std::vector<Expiry> found_;
};

}  // namespace tokens
