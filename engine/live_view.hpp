#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "engine/control/live.hpp"
#include "engine/hand_offs.hpp"
#include "engine/retriever/doorbell.hpp"
#include "engine/retriever/state_board.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/tokens/expiry_watch.hpp"
#include "protocols/wait/timers.hpp"
#include "queue/store/committer.hpp"

/// What a running daemon shows to operators: states, rates, metrics. Any thread may ask.
class LiveView final : public control::Live {
public:
    struct Sources {
        const runtime::Counters& counters;
        retriever::StateBoard& board;
        retriever::Doorbell& bell;
        const store::Committer& committer;
        HandOffs& hand_offs;
        const tokens::TokenService& tokens;
        const tokens::ExpiryWatch& expiries;
        const Clock& clock;
        Timers& timers;                                              // of the shard of started()
        std::function<void()> changed;                               // any thread
        std::function<std::vector<runtime::Metric>()> more_metrics;  // any thread
    };
    explicit LiveView(Sources sources);

    /// Takes a sample of the counters for the rates; about twice a second, on one thread.
    void sample();
    void ready() noexcept { ready_ = true; }
    [[nodiscard]] bool is_ready() const noexcept { return ready_; }

    [[nodiscard]] std::optional<MailboxState> mailbox(std::string_view id) const override;
    [[nodiscard]] std::vector<std::string> mailboxes_in(std::string_view state, std::string_view after,
                                                        std::size_t limit) const override;
    [[nodiscard]] std::optional<CredentialState> credential(const std::string& id) const override;
    [[nodiscard]] Summary summary() const override;
    void changed() override { sources_.changed(); }
    std::optional<WallTime> audit(const std::string& id) override;
    void look_again(std::int64_t mailbox_number) override { sources_.bell.ring(mailbox_number); }
    void acknowledged(std::int64_t mailbox_number) override { sources_.bell.acknowledged(mailbox_number); }
    [[nodiscard]] std::string hand_off_reason(const std::string& consumer, std::string_view mailbox) const override {
        return sources_.hand_offs.reason_of(consumer, mailbox);
    }
    void rewound(const std::string& consumer, std::int64_t mailbox_number, std::int64_t repeat_until) override;
    bool retry_set_aside(const std::string& consumer, std::int64_t mailbox_number, std::int64_t seq) override;
    [[nodiscard]] std::string metrics() const override;
    awaitable<void> started() override;
    [[nodiscard]] std::string not_ready() const override;

private:
    struct Sample {
        Monotonic at{};
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;
    };
    Sources sources_;
    WallTime started_at_;
    std::atomic<bool> ready_{false};
    mutable std::mutex mutex_;
    std::deque<Sample> samples_;
};
