#pragma once

#include "protocols/net/stream.hpp"
#include "protocols/wait/timers.hpp"

namespace net {

/// The one timer of a connection. Its due time moves with every step and with the bytes that move; the timer itself
/// only moves when it rings too early (or the new due time is earlier), so most steps cost no heap operation.
class Watchdog {
public:
    using Bark = void (*)(void* owner);

    /// `bark` is called from the event loop when the step's time is over; it ends what waits.
    Watchdog(Timers& timers, Bark bark, void* owner) noexcept
        : timers_(timers), timer_(timers, ring, this), bark_(bark), owner_(owner) {}

    void allow(Pace pace);
    void moved(std::size_t bytes);
    /// Before waiting: makes sure that the timer will ring in time.
    void watch();
    void rest() noexcept;
    [[nodiscard]] bool over() const noexcept { return timers_.now() >= due_; }
    /// Why the step is over: timed_out or too_slow.
    [[nodiscard]] error_code verdict() const noexcept;

private:
    static void ring(void* watchdog);

    Timers& timers_;
    Timer timer_;
    Bark bark_;
    void* owner_;
    Monotonic due_ = Monotonic::max();  // no step yet: no limit
    Pace pace_;
    bool any_moved_ = false;
};

}  // namespace net
