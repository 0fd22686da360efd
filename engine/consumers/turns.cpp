#include "engine/consumers/turns.hpp"

#include <algorithm>

#include "protocols/base/ensure.hpp"

namespace consumers {

std::chrono::milliseconds hand_off_pause(std::uint32_t failures, double spread) {
    constexpr std::chrono::milliseconds first{1000}, longest{300'000};
    const auto doublings = std::min(failures > 0 ? failures - 1 : 0U, 9U);
    const auto whole = std::min(first * (1U << doublings), longest);
    const double half = static_cast<double>(whole.count()) / 2;
    return std::chrono::milliseconds(static_cast<std::int64_t>(half + half * std::clamp(spread, 0.0, 1.0)));
}

bool Turns::wait(Lot& lot, Number mailbox) {
    if (lot.state == State::taken) lot.arrived_while_taken = true;
    if (lot.state != State::resting) return false;
    lot.state = State::ready;
    line_.push_back(mailbox);
    ++waiting_;
    return true;
}

bool Turns::arrived(Number mailbox) { return wait(lots_[mailbox], mailbox); }

bool Turns::found(Number mailbox, store::Seq repeat_until) {
    Lot& lot = lots_[mailbox];
    lot.repeat_until = std::max(lot.repeat_until, repeat_until);
    return wait(lot, mailbox);
}

std::optional<Turns::Number> Turns::take(Monotonic now) {
    while (!later_.empty() && later_.begin()->first <= now) {
        const Number due = later_.begin()->second;
        later_.erase(later_.begin());
        lots_[due].state = State::ready;
        line_.push_back(due);
    }
    if (line_.empty()) return std::nullopt;
    const Number mailbox = line_.front();
    line_.pop_front();
    Lot& lot = lots_[mailbox];
    lot.state = State::taken;
    lot.arrived_while_taken = false;
    return mailbox;
}

store::Seq Turns::repeat_until(Number mailbox) const {
    const auto lot = lots_.find(mailbox);
    return lot == lots_.end() ? 0 : lot->second.repeat_until;
}

bool Turns::finished(Number mailbox, Rest rest) {
    Lot& lot = lots_[mailbox];
    ensure(lot.state == State::taken, "a finished mailbox was taken");
    lot.failures = 0;
    lot.reason.clear();
    if (rest == Rest::more || lot.arrived_while_taken) {
        lot.state = State::ready;
        line_.push_back(mailbox);
        return false;
    }
    lot.state = State::resting;
    --waiting_;
    return true;
}

void Turns::put_back(Number mailbox, store::Seq attempted) {
    Lot& lot = lots_[mailbox];
    ensure(lot.state == State::taken, "a mailbox that is put back was taken");
    lot.repeat_until = std::max(lot.repeat_until, attempted);
    lot.state = State::ready;
    line_.push_front(mailbox);
}

void Turns::failed(Number mailbox, store::Seq attempted, std::string reason, Monotonic now, double spread) {
    Lot& lot = lots_[mailbox];
    ensure(lot.state == State::taken, "a failed mailbox was taken");
    lot.repeat_until = std::max(lot.repeat_until, attempted);
    lot.reason = std::move(reason);
    lot.state = State::later;
    lot.due = now + hand_off_pause(++lot.failures, spread);
    later_.emplace(lot.due, mailbox);
}

std::uint32_t Turns::stumbled(Number mailbox, store::Seq seq) {
    Lot& lot = lots_[mailbox];
    if (lot.stumbled_at != seq) lot.stumbled_times = 0;
    lot.stumbled_at = seq;
    return ++lot.stumbled_times;
}

std::optional<Monotonic> Turns::next_due() const {
    if (later_.empty()) return std::nullopt;
    return later_.begin()->first;
}

std::string Turns::reason(Number mailbox) const {
    const auto lot = lots_.find(mailbox);
    return lot == lots_.end() ? std::string() : lot->second.reason;
}

}  // namespace consumers
