#include "queue/event_count.hpp"

namespace queue {

EventCount::Interest::Interest(EventCount& events, Waiter& waiter) : events_(events), waiter_(waiter) {
    {
        const std::lock_guard lock(events_.mutex_);
        place_ = events_.row_.insert(events_.row_.end(), this);
        events_.interested_.fetch_add(1, std::memory_order_seq_cst);
    }
    // Pairs with the fence of notify(): either we see what it made true, or it sees us.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

EventCount::Interest::~Interest() {
    bool pass_on = false;
    {
        const std::lock_guard lock(events_.mutex_);
        if (called_) {
            pass_on = !heard_;
        } else {
            events_.row_.erase(place_);
            events_.interested_.fetch_sub(1, std::memory_order_relaxed);
        }
    }
    if (pass_on) events_.notify(1);
}

void EventCount::wake(std::size_t count) {
    const std::lock_guard lock(mutex_);
    while (count > 0 && !row_.empty()) {
        Interest& interest = *row_.front();
        row_.pop_front();
        interested_.fetch_sub(1, std::memory_order_relaxed);
        interest.called_ = true;
        interest.waiter_.wake();
        --count;
    }
}

void EventCount::Thread::park(Interest& interest, std::optional<std::chrono::steady_clock::time_point> until) {
    std::unique_lock lock(events_.mutex_);
    while (!woken_) {
        if (!until) {
            condition_.wait(lock);
        } else if (condition_.wait_until(lock, *until) == std::cv_status::timeout) {
            break;
        }
    }
    woken_ = false;
    interest.heard();
}

void EventCount::Thread::wake() {
    woken_ = true;
    condition_.notify_one();
}

awaitable<void> EventCount::Coroutine::park(Interest& interest) {
    co_await parking_.wait();
    interest.heard();
}

void EventCount::Coroutine::wake() {
    asio::post(shard_, [self = shared_from_this()] { self->parking_.wake(); });
}

}  // namespace queue
