#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "protocols/wait/asio.hpp"
#include "queue/event_count.hpp"
#include "queue/ring.hpp"

namespace queue {

/// The bounded queue between sessions and workers: a lock-free ring, and waiting on both ends without lost wake-ups.
/// Any thread, any shard. Nothing but the ring is touched while neither end has to wait. Values of one pusher come
/// out in its order. Outlives everybody who waits at it.
template <class T>
class WorkQueue {
public:
    explicit WorkQueue(std::size_t capacity) : ring_(capacity) {}

    /// False, and the value stays, when the queue is full.
    [[nodiscard]] bool try_push(T& value) {
        if (!ring_.try_push(value)) return false;
        filled_.notify(1);
        return true;
    }

    /// Waits while the queue is full. A cancelled wait ends with operation_aborted and the value with it.
    awaitable<void> push(T value) {
        if (try_push(value)) co_return;
        const asio::any_io_executor shard = co_await asio::this_coro::executor;
        const auto waiter = std::make_shared<EventCount::Coroutine>(shard);
        for (bool woken = false;; woken = true) {
            {
                EventCount::Interest interest(emptied_, *waiter);
                if (!try_push(value)) {
                    co_await waiter->park(interest);
                    continue;
                }
            }
            if (woken && ring_.has_room()) emptied_.notify(1);
            co_return;
        }
    }

    /// Appends up to `count_max` values to `into`; returns how many, 0 when the queue is empty.
    std::size_t try_pop_batch(std::vector<T>& into, std::size_t count_max) {
        const std::size_t count = ring_.try_pop_batch(into, count_max);
        if (count > 0) emptied_.notify(count);
        return count;
    }

    /// The same for a coroutine, which waits while the queue is empty. 0 when it is empty and closed.
    awaitable<std::size_t> pop_batch(std::vector<T>& into, std::size_t count_max) {
        std::size_t count = try_pop_batch(into, count_max);
        if (count > 0) co_return count;
        const asio::any_io_executor shard = co_await asio::this_coro::executor;
        const auto waiter = std::make_shared<EventCount::Coroutine>(shard);
        for (bool woken = false;; woken = true) {
            {
                EventCount::Interest interest(filled_, *waiter);
                const bool ended = closed();  // before the look, so that nothing pushed before close() is left
                count = try_pop_batch(into, count_max);
                if (count == 0 && !ended) {
                    co_await waiter->park(interest);
                    continue;
                }
            }
            if (woken) pass_on_rest();
            co_return count;
        }
    }

    /// The same for a plain thread, which blocks. 0 when it is empty and closed, or the time is over.
    std::size_t wait_batch(std::vector<T>& into, std::size_t count_max,
                           std::optional<std::chrono::steady_clock::time_point> until = std::nullopt) {
        std::size_t count = try_pop_batch(into, count_max);
        if (count > 0) return count;
        EventCount::Thread waiter(filled_);
        for (bool woken = false;; woken = true) {
            {
                EventCount::Interest interest(filled_, waiter);
                const bool ended = closed() || (until && std::chrono::steady_clock::now() >= *until);
                count = try_pop_batch(into, count_max);
                if (count == 0 && !ended) {
                    waiter.park(interest, until);
                    continue;
                }
            }
            if (woken) pass_on_rest();
            return count;
        }
    }

    /// Those who wait for values wait no more. Pushing goes on as before: what still comes is for whoever pops.
    void close() {
        closed_.store(true, std::memory_order_seq_cst);
        filled_.notify_all();
    }
    [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_seq_cst); }

    [[nodiscard]] std::size_t capacity() const noexcept { return ring_.capacity(); }
    [[nodiscard]] std::size_t length() const noexcept { return ring_.length(); }

private:
    /// For one who was woken and served. The wake-up for a value behind the slot of a slower pusher may have gone to
    /// somebody who could not reach it yet and parked again; push() does the same on its end.
    void pass_on_rest() {
        if (ring_.has_value()) filled_.notify(1);
    }

    Ring<T> ring_;
    EventCount filled_;   // those who pop wait here
    EventCount emptied_;  // those who push wait here
    std::atomic<bool> closed_{false};
};

}  // namespace queue
