#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/webhooks/feed.hpp"

namespace webhooks {

/// The feeds of all webhooks. One shard.
class Feeds {
public:
    explicit Feeds(Feed::Uses uses) : uses_(std::move(uses)) {}

    struct Served {
        config::Webhook webhook;
        Receiver receiver;
    };
    /// Exactly these are served from now on; those that are the same go on.
    void serve(std::vector<Served> webhooks);
    void cancel();
    awaitable<void> join();

    /// Posts it once to each webhook that wants alarms, past the store: for when that cannot take it.
    awaitable<void> post_alarm(store::OutboxEvent event);

    struct State {
        std::string webhook;
        Feed::Stats stats;
    };
    [[nodiscard]] std::vector<State> states() const;

private:
    Feed::Uses uses_;
    std::vector<std::unique_ptr<Feed>> feeds_;
    std::vector<std::unique_ptr<Feed>> retired_;  // they end with the shard
};

}  // namespace webhooks
