#include "queue/byte_budget.hpp"

#include <algorithm>

#include "protocols/base/ensure.hpp"

namespace queue {

bool ByteBudget::take(std::size_t bytes) noexcept {
    used_bytes_ += bytes;
    return used_bytes_ < bytes_max_;
}

void ByteBudget::give_back(std::size_t bytes) {
    ensure(bytes <= used_bytes_, "only bytes that were taken are given back");
    used_bytes_ -= bytes;
    wake_first();
}

void ByteBudget::wake_first() {
    if (used_bytes_ < bytes_max_ && !waiting_.empty()) waiting_.front()->wake();
}

awaitable<void> ByteBudget::room() {
    if (used_bytes_ < bytes_max_ && waiting_.empty()) co_return;
    // A place in the row of those who wait; whoever leaves it, served or cancelled, passes the turn on.
    struct Place {
        explicit Place(ByteBudget& of) : budget(of) { budget.waiting_.push_back(&parking); }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place() {
            auto& row = budget.waiting_;
            row.erase(std::find(row.begin(), row.end(), &parking));
            budget.wake_first();
        }
        [[nodiscard]] bool has_turn() const {
            return budget.used_bytes_ < budget.bytes_max_ && budget.waiting_.front() == &parking;
        }
        ByteBudget& budget;
        Parking parking;
    };
    Place place(*this);
    while (!place.has_turn()) co_await place.parking.wait();
}

}  // namespace queue
