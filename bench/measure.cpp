#include "bench/measure.hpp"

#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

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

std::chrono::nanoseconds thread_cpu_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
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

SyscallCounter::SyscallCounter() {
    std::ifstream file("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id");
    std::uint64_t tracepoint = 0;
    if (!(file >> tracepoint)) return;
    perf_event_attr wanted{};
    wanted.type = PERF_TYPE_TRACEPOINT;
    wanted.size = sizeof wanted;
    wanted.config = tracepoint;
    wanted.inherit = 1;
    event_ = static_cast<int>(::syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0));
}

SyscallCounter::~SyscallCounter() {
    if (event_ >= 0) ::close(event_);
}

std::optional<std::uint64_t> SyscallCounter::count() const {
    std::uint64_t counted = 0;
    if (event_ < 0 || ::read(event_, &counted, sizeof counted) != sizeof counted) return std::nullopt;
    return counted;
}

boost::json::value per_message(std::optional<std::uint64_t> count, double messages) {
    if (!count || messages <= 0) return nullptr;
    return static_cast<double>(*count) / messages;
}

}  // namespace bench
