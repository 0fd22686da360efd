#include "protocols/net/watchdog.hpp"

#include <algorithm>

#include "protocols/net/errc.hpp"

namespace net {

void Watchdog::allow(Pace pace) {
    pace_ = pace;
    any_moved_ = false;
    due_ = timers_.now() + pace.within;
    watch();
}

void Watchdog::moved(std::size_t bytes) {
    if (pace_.bytes_per_second_min == 0) return;
    any_moved_ = true;
    const std::chrono::duration<double> earned(static_cast<double>(bytes) / pace_.bytes_per_second_min);
    due_ = std::min(due_ + std::chrono::duration_cast<Monotonic::duration>(earned), timers_.now() + pace_.within);
}

void Watchdog::watch() {
    if (due_ == Monotonic::max()) return;
    if (!timer_.armed() || timer_.due() > due_) timer_.arm(due_);
}

void Watchdog::rest() noexcept {
    timer_.disarm();
    due_ = Monotonic::max();
}

error_code Watchdog::verdict() const noexcept { return any_moved_ ? errc::too_slow : errc::timed_out; }

void Watchdog::ring(void* watchdog) {
    auto& self = *static_cast<Watchdog*>(watchdog);
    if (self.over()) {
        self.bark_(self.owner_);
    } else {
        self.watch();
    }
}

}  // namespace net
