#include "engine/retriever/login_gate.hpp"

#include <algorithm>

namespace retriever {

/// A waiter's place in the line. One that is cancelled after its turn came passes the turn on.
struct LoginGate::InLine {
    explicit InLine(LoginGate& at) : gate(at) { gate.waiting_.push_back(&parking); }
    ~InLine() {
        auto& line = gate.waiting_;
        const auto end = std::remove(line.begin(), line.end(), &parking);
        const bool was_called = end == line.end();
        line.erase(end, line.end());
        if (was_called && !answered && gate.free_ > 0) gate.call_next();
    }
    InLine(const InLine&) = delete;
    InLine& operator=(const InLine&) = delete;

    LoginGate& gate;
    Parking parking;
    bool answered = false;
};

awaitable<LoginGate::Place> LoginGate::enter() {
    while (free_ == 0) {
        InLine in_line(*this);
        co_await in_line.parking.wait();
        in_line.answered = true;
    }
    --free_;
    co_return Place(*this);
}

void LoginGate::give_back() noexcept {
    ++free_;
    call_next();
}

void LoginGate::call_next() noexcept {
    if (waiting_.empty()) return;
    Parking* next = waiting_.front();
    waiting_.pop_front();
    next->wake();
}

}  // namespace retriever
