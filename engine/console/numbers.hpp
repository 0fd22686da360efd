#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/console/attempts.hpp"
#include "engine/runtime/metrics.hpp"

namespace console {

/// What the console has counted since its start. Its shard writes, any thread reads.
struct Numbers {
    std::array<std::atomic<std::uint64_t>, 6> pages{};  // by the first digit of the status
    std::atomic<std::uint64_t> log_ins{0};
    std::atomic<std::uint64_t> sign_ins_stored{0}, sign_ins_failed{0};
    std::atomic<std::uint64_t> misdirected{0};  // under another name than the external URL
};
std::vector<runtime::Metric> metrics_of(const Numbers& numbers, const Attempts::Stats& attempts);

}  // namespace console
