#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "protocols/base/clock.hpp"

namespace console {

/// Counts attempts to get in with a wrong token, by peer and in all, so that guessing gets nowhere. Who is over a limit
/// is turned away until the minute is over, whatever he brings. A peer that got in within the last day is not turned
/// away for what others do. Bounded. One shard.
class Attempts {
public:
    struct Limits {
        std::size_t of_peer = 10;  // failures in a minute
        std::size_t of_all = 100;
        std::size_t peers_max = 4096;  // remembered; the failures of more than that count in all alone
    };
    explicit Attempts(const Clock& clock) : Attempts(clock, Limits()) {}
    Attempts(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

    /// How long this peer has to wait before the next attempt; nullopt: it may try. An empty peer is not known.
    [[nodiscard]] std::optional<std::chrono::seconds> must_wait(const std::string& peer);
    void failed(const std::string& peer);
    void succeeded(const std::string& peer);

    struct Stats {
        std::uint64_t wrong_tokens = 0, turned_away = 0;  // since the start
    };
    /// Any thread.
    [[nodiscard]] Stats stats() const noexcept { return {wrong_tokens_, turned_away_}; }

private:
    [[nodiscard]] bool is_over_limit(const std::string& peer) const;
    struct Known {
        std::size_t failures = 0;            // in this minute
        std::optional<Monotonic> got_in_at;  // last
    };
    void begin_minute();

    const Clock& clock_;
    Limits limits_;
    Monotonic minute_{};
    std::size_t failures_ = 0;  // in it
    std::map<std::string, Known> peers_;
    std::atomic<std::uint64_t> wrong_tokens_{0}, turned_away_{0};
};

/// What stands for a peer: its address, for IPv6 the /64 that it is in.
std::string peer_key(std::string_view address);

}  // namespace console
