#pragma once

#include <random>

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"

namespace support {

/// Stands still until it is moved.
class HandClock final : public Clock {
public:
    Monotonic now() const noexcept override { return Monotonic(std::chrono::seconds(1000)) + passed; }
    WallTime wall() const noexcept override { return WallTime(std::chrono::seconds(1'700'000'000)); }
    std::chrono::nanoseconds passed{};
};

/// The same bytes in each run.
class SeededRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override {
        for (auto& byte : bytes) byte = static_cast<std::byte>(engine_());
    }

private:
    std::mt19937 engine_{1};
};

}  // namespace support
