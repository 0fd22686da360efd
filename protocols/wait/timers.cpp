#include "protocols/wait/timers.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/ensure.hpp"
#include "protocols/wait/parking.hpp"

void Timer::arm(Monotonic due) { timers_.put(*this, due); }

void Timer::disarm() noexcept { timers_.take(*this); }

Timers::~Timers() { ensure(heap_.empty(), "no timer outlives its shard's timers"); }

std::optional<Monotonic> Timers::earliest() const noexcept {
    if (heap_.empty()) return std::nullopt;
    return heap_.front()->due_;
}

std::size_t Timers::advance(Monotonic now) {
    std::size_t rang = 0;
    while (!heap_.empty() && heap_.front()->due_ <= now) {
        Timer& timer = *heap_.front();
        take(timer);
        ++rang;
        timer.ring_(timer.owner_);
    }
    tell_earliest();
    return rang;
}

void Timers::driven_by(Earliest tell, void* driver) noexcept {
    tell_ = tell;
    driver_ = driver;
}

awaitable<void> Timers::sleep_until(Monotonic due) {
    Parking parking;
    Timer timer(
        *this, [](void* owner) { static_cast<Parking*>(owner)->wake(); }, &parking);
    timer.arm(due);
    co_await parking.wait();
}

void Timers::put(Timer& timer, Monotonic due) {
    if (timer.place_ != Timer::none) {
        const bool later = due > timer.due_;
        timer.due_ = due;
        if (later) {
            sift_down(timer.place_);
        } else {
            sift_up(timer.place_);
        }
    } else {
        timer.due_ = due;
        heap_.push_back(&timer);
        timer.place_ = heap_.size() - 1;
        sift_up(timer.place_);
    }
    tell_earliest();
}

void Timers::take(Timer& timer) noexcept {
    const std::size_t at = timer.place_;
    if (at == Timer::none) return;
    timer.place_ = Timer::none;
    Timer* last = heap_.back();
    heap_.pop_back();
    if (last == &timer) return;
    set(at, last);
    sift_up(at);
    sift_down(last->place_);
}

void Timers::sift_up(std::size_t at) noexcept {
    Timer* timer = heap_[at];
    while (at > 0) {
        const std::size_t parent = (at - 1) / 4;
        if (heap_[parent]->due_ <= timer->due_) break;
        set(at, heap_[parent]);
        at = parent;
    }
    set(at, timer);
}

void Timers::sift_down(std::size_t at) noexcept {
    Timer* timer = heap_[at];
    for (;;) {
        const std::size_t first = at * 4 + 1;
        if (first >= heap_.size()) break;
        std::size_t least = first;
        for (std::size_t child = first + 1; child < std::min(first + 4, heap_.size()); ++child) {
            if (heap_[child]->due_ < heap_[least]->due_) least = child;
        }
        if (timer->due_ <= heap_[least]->due_) break;
        set(at, heap_[least]);
        at = least;
    }
    set(at, timer);
}

void Timers::set(std::size_t at, Timer* timer) noexcept {
    heap_[at] = timer;
    timer->place_ = at;
}

void Timers::tell_earliest() const {
    if (tell_ != nullptr && !heap_.empty()) tell_(driver_, heap_.front()->due_);
}

TimersDriver::TimersDriver(asio::io_context& context, Timers& timers) : timers_(timers), timer_(context) {
    timers_.driven_by([](void* driver, Monotonic due) { static_cast<TimersDriver*>(driver)->rearm(due); }, this);
    if (const auto due = timers_.earliest()) rearm(*due);
}

TimersDriver::~TimersDriver() { timers_.driven_by(nullptr, nullptr); }

/// An earlier time moves the machine's timer; a later one is found when the old one rings.
void TimersDriver::rearm(Monotonic due) {
    if (set_for_ && *set_for_ <= due) return;
    set_for_ = due;
    timer_.expires_at(due);
    timer_.async_wait([this](const boost::system::error_code& aborted) {
        if (aborted) return;
        set_for_.reset();
        timers_.advance(timers_.now());
    });
}
