#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Where randomness comes from (nonces, jitter, names). Handed down; a simulated world seeds its own.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> bytes) = 0;

    std::uint64_t next();
    /// Evenly spread over [0, 1).
    double fraction();
};

/// The operating system's cryptographic generator. Any thread may use it.
class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override;
};
