#pragma once

#include <chrono>

using Monotonic = std::chrono::steady_clock::time_point;  // deadlines, back-off, measuring
using WallTime = std::chrono::system_clock::time_point;   // what people and peers mean by time

/// Where time comes from. Handed down, never reached for, so that a simulated world can run its own time.
/// Any thread may ask.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Monotonic now() const noexcept = 0;
    [[nodiscard]] virtual WallTime wall() const noexcept = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
public:
    [[nodiscard]] Monotonic now() const noexcept override { return std::chrono::steady_clock::now(); }
    [[nodiscard]] WallTime wall() const noexcept override { return std::chrono::system_clock::now(); }
};
