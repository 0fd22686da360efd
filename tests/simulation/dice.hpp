#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"

namespace simulation {

/// Time that passes only when somebody says so.
class VirtualClock final : public Clock {
public:
    [[nodiscard]] Monotonic now() const noexcept override { return now_; }
    [[nodiscard]] WallTime wall() const noexcept override {
        return WallTime(std::chrono::hours(24 * 365 * 56)) +
               std::chrono::duration_cast<WallTime::duration>(now_.time_since_epoch());
    }
    void move_to(Monotonic then) noexcept { now_ = std::max(now_, then); }

private:
    Monotonic now_{std::chrono::hours(1)};
};

/// Chance from a seed (splitmix64): the same numbers on every machine.
class Dice final : public Random {
public:
    explicit Dice(std::uint64_t seed) noexcept : state_(seed) {}
    void fill(std::span<std::byte> bytes) override {
        for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
            const std::uint64_t value = roll();
            std::memcpy(bytes.data() + at, &value, std::min(sizeof value, bytes.size() - at));
        }
    }
    std::uint64_t roll() noexcept {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15U;
        x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
        x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
        return x ^ (x >> 31U);
    }
    /// 0 up to `end`, without it.
    std::uint64_t below(std::uint64_t end) noexcept { return roll() % end; }
    /// From `first` to `last`, both included.
    std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept { return first + below(last - first + 1); }
    bool chance(std::uint64_t percent) noexcept { return below(100) < percent; }
    std::chrono::milliseconds span(std::chrono::milliseconds first, std::chrono::milliseconds last) noexcept {
        return std::chrono::milliseconds(
            between(static_cast<std::uint64_t>(first.count()), static_cast<std::uint64_t>(last.count())));
    }

private:
    std::uint64_t state_;
};

}  // namespace simulation
