#pragma once

#include <cstddef>
#include <deque>

#include "protocols/wait/asio.hpp"
#include "protocols/wait/parking.hpp"

namespace queue {

/// The bytes a shard may hold between sockets and the store. One shard, not thread-safe. When it is spent, readers
/// wait, and the peer's TCP window does the rest. First come, first served.
class ByteBudget {
public:
    explicit ByteBudget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

    /// Takes the bytes whatever is left (they are here already); tells whether the taker may go on at once
    /// or should wait for room() before it reads more.
    [[nodiscard]] bool take(std::size_t bytes) noexcept;
    void give_back(std::size_t bytes);
    /// Waits until less than the whole budget is in use.
    awaitable<void> room();

    [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_; }
    [[nodiscard]] std::size_t bytes_max() const noexcept { return bytes_max_; }

private:
    void wake_first();

    std::size_t bytes_max_;
    std::size_t used_bytes_ = 0;
    std::deque<Parking*> waiting_;
};

}  // namespace queue
