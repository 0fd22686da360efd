#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace bench {

/// Processor time of this process so far, all threads, user and system.
std::chrono::nanoseconds cpu_time();
/// Of this thread alone.
std::chrono::nanoseconds thread_cpu_time();
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

/// Counts the system calls of this thread and of all threads that it starts from now on, by the kernel's own counter.
/// That takes a readable tracefs (root; `mount -t tracefs none /sys/kernel/tracing`); without, there is no count.
class SyscallCounter {
public:
    SyscallCounter();
    SyscallCounter(const SyscallCounter&) = delete;
    SyscallCounter& operator=(const SyscallCounter&) = delete;
    ~SyscallCounter();

    /// Since construction; nullopt when the kernel does not let us count. Threads that have not ended count, too.
    [[nodiscard]] std::optional<std::uint64_t> count() const;

private:
    int event_ = -1;
};

/// How many of something for each message: null in the JSON line when it could not be counted.
boost::json::value per_message(std::optional<std::uint64_t> count, double messages);

}  // namespace bench
