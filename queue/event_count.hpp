#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "protocols/wait/asio.hpp"
#include "protocols/wait/parking.hpp"

namespace queue {

/// Lets coroutines of any shard and plain threads wait for a condition that lock-free code makes true.
/// Who waits: publishes an Interest, looks again, only then parks. Who makes it true calls notify(): one fence and
/// one load while nobody is interested. No wake-up is lost. Any thread.
class EventCount {
public:
    /// One who may park. Kept by shared_ptr, as a wake-up may be under way when the wait was cancelled.
    class Waiter {
    public:
        Waiter() = default;
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        virtual ~Waiter() = default;

    private:
        friend class EventCount;
        virtual void wake() = 0;  // with the event count's lock held
    };

    /// A published interest; ends with its scope. A wake-up that reached it and was not heard() is passed on.
    class Interest {
    public:
        Interest(EventCount& events, Waiter& waiter);
        Interest(const Interest&) = delete;
        Interest& operator=(const Interest&) = delete;
        ~Interest();
        void heard() noexcept { heard_ = true; }

    private:
        friend class EventCount;
        EventCount& events_;
        Waiter& waiter_;
        std::list<Interest*>::iterator place_;
        bool called_ = false;  // guarded by the event count's lock
        bool heard_ = false;
    };

    /// Wakes up to `count` of those who are interested.
    void notify(std::size_t count) {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (interested_.load(std::memory_order_relaxed) != 0) wake(count);
    }
    void notify_all() { notify(static_cast<std::size_t>(-1)); }

    class Thread;
    class Coroutine;

private:
    void wake(std::size_t count);

    std::atomic<std::size_t> interested_{0};
    std::mutex mutex_;
    std::list<Interest*> row_;
};

/// A plain thread that blocks.
class EventCount::Thread final : public EventCount::Waiter {
public:
    explicit Thread(EventCount& events) noexcept : events_(events) {}
    /// Until woken, or until `until`; then it has been heard all the same.
    void park(Interest& interest, std::optional<std::chrono::steady_clock::time_point> until);

private:
    void wake() override;

    EventCount& events_;
    std::condition_variable condition_;
    bool woken_ = false;
};

/// A coroutine, woken through the event loop of its shard.
class EventCount::Coroutine final : public EventCount::Waiter, public std::enable_shared_from_this<Coroutine> {
public:
    explicit Coroutine(asio::any_io_executor shard) : shard_(std::move(shard)) {}
    awaitable<void> park(Interest& interest);

private:
    void wake() override;

    asio::any_io_executor shard_;
    Parking parking_;  // on the shard only
};

}  // namespace queue
