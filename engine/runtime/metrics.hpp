#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace runtime {

/// How long things took, in buckets of powers of two from 64 µs to about 2 minutes. Any thread; relaxed counters.
class Latency {
public:
    static constexpr std::size_t buckets = 22;
    void add(std::chrono::nanoseconds span) noexcept;
    struct Snapshot {
        std::array<std::uint64_t, buckets> counts{};
        std::uint64_t count = 0;
        double sum_seconds = 0;
        /// The upper bound of the bucket that holds this share of all, in seconds; 0 when there is nothing.
        [[nodiscard]] double quantile(double share) const noexcept;
    };
    [[nodiscard]] Snapshot snapshot() const noexcept;
    /// Upper bound of a bucket in seconds.
    static double bound_seconds(std::size_t bucket) noexcept;

private:
    std::array<std::atomic<std::uint64_t>, buckets> counts_{};
    std::atomic<std::uint64_t> sum_ns_{0};
};

/// What the engine counts while it runs. Any thread; relaxed. Exported under the names in metrics.cpp.
struct Counters {
    std::atomic<std::uint64_t> messages_stored{0};
    std::atomic<std::uint64_t> message_bytes_stored{0};
    std::atomic<std::uint64_t> messages_known_before{0};
    std::atomic<std::uint64_t> messages_gone{0};
    std::atomic<std::uint64_t> messages_missed{0};  // that an audit found
    std::atomic<std::uint64_t> messages_delivered{0};
    std::atomic<std::uint64_t> messages_set_aside{0};
    std::atomic<std::uint64_t> sessions_live{0};
    std::atomic<std::uint64_t> sessions_idle{0};
    std::atomic<std::uint64_t> logins{0};
    std::atomic<std::uint64_t> login_refusals{0};
    std::atomic<std::uint64_t> session_errors{0};
    Latency arrival_to_durable;    // from the last byte received to the commit
    Latency durable_to_delivered;  // from the commit to the consumer's acknowledgement
};

/// One sample of a metric beyond Counters, read when asked. Those of one name stand together.
struct Metric {
    std::string name;  // rohrpost_…
    std::string help;
    double value = 0;
    std::vector<std::pair<std::string, std::string>> labels;
    enum class Type { gauge, counter } type = Type::gauge;
};

/// The Prometheus text exposition (format 0.0.4).
std::string exposition(const Counters& counters, const std::vector<Metric>& metrics);
std::string exposition(const std::vector<Metric>& metrics);

}  // namespace runtime
