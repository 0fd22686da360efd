#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace bench {

/// Processor time of this process so far, all threads, user and system.
std::chrono::nanoseconds cpu_time();
/// The most memory this process ever held, in bytes.
std::uint64_t peak_rss_bytes();

/// Wall and processor time since it was made.
class Stopwatch {
public:
    Stopwatch();
    [[nodiscard]] double seconds() const;
    [[nodiscard]] double cpu_seconds() const;

private:
    std::chrono::steady_clock::time_point started_;
    std::chrono::nanoseconds cpu_;
};

/// The value that `share` (0 to 1) of the sorted-or-not samples do not exceed; 0 without samples.
double percentile(std::vector<double>& samples, double share);

}  // namespace bench
