#pragma once
/// Time and chance in a test's hand.

#include <random>

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"

namespace support {

/// Stands still until it is moved.
class HandClock final : public Clock {
public:
    explicit HandClock(WallTime begin = WallTime(std::chrono::seconds(1'700'000'000))) : begin_(begin) {}
    Monotonic now() const noexcept override { return Monotonic(std::chrono::seconds(1000)) + passed; }
    WallTime wall() const noexcept override {
        return begin_ + std::chrono::duration_cast<WallTime::duration>(passed + jumped);
    }
    void pass(std::chrono::nanoseconds span) { passed += span; }

    std::chrono::nanoseconds passed{};
    std::chrono::nanoseconds jumped{};  // of the wall clock alone

private:
    WallTime begin_;
};

/// The same bytes in each run.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint_fast32_t seed = 1) : engine_(seed) {}
    void fill(std::span<std::byte> bytes) override {
        for (auto& byte : bytes) byte = static_cast<std::byte>(engine_());
    }

private:
    std::mt19937 engine_;
};

}  // namespace support
