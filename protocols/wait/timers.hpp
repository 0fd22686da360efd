#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/wait/asio.hpp"

class Timers;

/// One timer, embedded in whoever needs it (no allocation). Ends disarmed. Stays at its address.
class Timer {
public:
    using Ring = void (*)(void* owner);

    Timer(Timers& timers, Ring ring, void* owner) noexcept : timers_(timers), ring_(ring), owner_(owner) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { disarm(); }

    /// Rings once at `due`; arming again moves it. ring() runs on the shard, from the event loop.
    void arm(Monotonic due);
    void disarm() noexcept;
    [[nodiscard]] bool armed() const noexcept { return place_ != none; }
    [[nodiscard]] Monotonic due() const noexcept { return due_; }

private:
    friend class Timers;
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    Timers& timers_;
    Ring ring_;
    void* owner_;
    Monotonic due_{};
    std::size_t place_ = none;
};

/// The timers of one shard: a heap of Timer. Time is handed in through advance(), so that a simulated world can
/// run its own. Not thread-safe.
class Timers {
public:
    /// Tells the driver that `due` is the earliest now.
    using Earliest = void (*)(void* driver, Monotonic due);

    explicit Timers(const Clock& clock) noexcept : clock_(clock) {}
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;
    ~Timers();

    [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
    [[nodiscard]] Monotonic now() const noexcept { return clock_.now(); }
    [[nodiscard]] std::optional<Monotonic> earliest() const noexcept;
    /// Rings everything that is due at `now`, earliest first; returns how many rang.
    std::size_t advance(Monotonic now);
    void driven_by(Earliest tell, void* driver) noexcept;

    /// Ends with operation_aborted when cancelled.
    awaitable<void> sleep_until(Monotonic due);
    awaitable<void> sleep_for(std::chrono::nanoseconds span) { return sleep_until(now() + span); }

private:
    friend class Timer;
    void put(Timer& timer, Monotonic due);
    void take(Timer& timer) noexcept;
    void sift_up(std::size_t at) noexcept;
    void sift_down(std::size_t at) noexcept;
    void set(std::size_t at, Timer* timer) noexcept;
    void tell_earliest() const;

    const Clock& clock_;
    std::vector<Timer*> heap_;
    Earliest tell_ = nullptr;
    void* driver_ = nullptr;
};

/// Drives the timers of a shard with one asio timer on the machine's clock.
class TimersDriver {
public:
    TimersDriver(asio::io_context& context, Timers& timers);
    ~TimersDriver();

private:
    void rearm(Monotonic due);

    Timers& timers_;
    asio::steady_timer timer_;
    std::optional<Monotonic> set_for_;
};
