#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "protocols/base/clock.hpp"
#include "queue/store/records.hpp"

namespace consumers {

/// Which mailboxes have something for a consumer, and whose turn it is: round robin, with a pause of its own for each
/// one that failed. One shard; time is handed in. A mailbox is resting, ready, taken, or waiting for a later time.
class Turns {
public:
    using Number = store::MailboxNumber;

    /// Something of this mailbox waits to be handed off. False when that was known.
    bool arrived(Number mailbox);
    /// Found waiting at start: what an earlier process may have delivered without noting it lies up to `repeat_until`.
    bool found(Number mailbox, store::Seq repeat_until);

    /// The next mailbox is taken: until finished(), put_back() or failed(). nullopt: none is ready at `now`.
    std::optional<Number> take(Monotonic now);
    /// Its messages up to here may be repeats.
    [[nodiscard]] store::Seq repeat_until(Number mailbox) const;

    enum class Rest { nothing, more };
    /// Handed off and noted. True when the mailbox rests now; otherwise it is last in line.
    bool finished(Number mailbox, Rest rest);
    /// Its turn did not come to it: first in line again. What was tried of it goes up to `attempted`.
    void put_back(Number mailbox, store::Seq attempted);
    /// Again after a pause, longer with each failure in a row.
    void failed(Number mailbox, store::Seq attempted, std::string reason, Monotonic now, double spread);

    /// The consumer failed with this mail of a mailbox: how often in a row, this time included.
    std::uint32_t stumbled(Number mailbox, store::Seq seq);

    [[nodiscard]] std::size_t ready() const noexcept { return line_.size(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    [[nodiscard]] std::size_t failing() const noexcept { return later_.size(); }
    [[nodiscard]] std::optional<Monotonic> next_due() const;
    /// Why a mailbox is paused; empty when it is not.
    [[nodiscard]] std::string reason(Number mailbox) const;

private:
    enum class State : std::uint8_t { resting, ready, taken, later };
    struct Lot {
        State state = State::resting;
        bool arrived_while_taken = false;
        std::uint32_t failures = 0;
        store::Seq repeat_until = 0;
        store::Seq stumbled_at = 0;
        std::uint32_t stumbled_times = 0;
        Monotonic due{};
        std::string reason;
    };
    bool wait(Lot& lot, Number mailbox);

    std::unordered_map<Number, Lot> lots_;
    std::deque<Number> line_;
    std::set<std::pair<Monotonic, Number>> later_;
    std::size_t waiting_ = 0;  // not resting
};

/// The pause after the n-th failure in a row: 1 s, doubled each time up to 5 min, of which the second half is spread.
std::chrono::milliseconds hand_off_pause(std::uint32_t failures, double spread);

}  // namespace consumers
