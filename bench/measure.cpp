#include "bench/measure.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace bench {
namespace {

rusage usage() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used;
}

std::chrono::nanoseconds span_of(const timeval& value) {
    return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
}

}  // namespace

std::chrono::nanoseconds cpu_time() {
    const rusage used = usage();
    return span_of(used.ru_utime) + span_of(used.ru_stime);
}

std::uint64_t peak_rss_bytes() { return static_cast<std::uint64_t>(usage().ru_maxrss) * 1024; }

Stopwatch::Stopwatch() : started_(std::chrono::steady_clock::now()), cpu_(cpu_time()) {}

double Stopwatch::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

double Stopwatch::cpu_seconds() const { return std::chrono::duration<double>(cpu_time() - cpu_).count(); }

double percentile(std::vector<double>& samples, double share) {
    if (samples.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(samples.size() - 1));
    std::nth_element(samples.begin(), samples.begin() + at, samples.end());
    return samples[static_cast<std::size_t>(at)];
}

}  // namespace bench
