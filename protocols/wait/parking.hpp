#pragma once

#include <optional>

#include "protocols/wait/asio.hpp"

/// A place where one coroutine waits until somebody on its shard wakes it. Owned by one shard, not thread-safe:
/// other threads reach it by posting to the shard. A wake() that finds nobody waiting is kept: the next wait()
/// returns at once (one permit, however many wakes). At most one coroutine waits at a time.
/// Cancellation ends wait() with operation_aborted, as every asio wait. Must outlive the wait.
class Parking {
public:
    Parking() = default;
    Parking(const Parking&) = delete;
    Parking& operator=(const Parking&) = delete;

    awaitable<void> wait();
    /// The waiter resumes from the event loop, never inside this call.
    void wake();
    [[nodiscard]] bool occupied() const noexcept { return waiter_.has_value(); }
    /// Forgets a kept wake-up.
    void forget() noexcept { permit_ = false; }

private:
    using Handler =
        asio::async_result<std::decay_t<decltype(asio::use_awaitable)>, void(boost::system::error_code)>::handler_type;
    void finish(boost::system::error_code reason);

    std::optional<Handler> waiter_;
    bool permit_ = false;
};
