#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "tests/simulation/events.hpp"
#include "tests/support/simulated_disk.hpp"

namespace simulation {

/// The life of one daemon process, as the outside sees it: from its death on, nothing that it still does counts. What
/// it does to the outside is numbered, so that it can die at any of it. Calls to the disk are numbered by the disk.
class Fate {
public:
    enum class Act { network, hand_off, turn };

    Fate(SimulatedDisk& disk, Events& events) : disk_(disk), events_(events) {}

    /// The process begins: nothing is planned for it.
    void born() noexcept {
        dead_ = false;
        plan_.reset();
    }
    void die(std::string_view how) {
        if (dead()) return;
        events_.note("the process dies: {}", how);
        dead_ = true;
        disk_.stop();
    }
    /// At the `number`-th such act from now on; 1 is the next.
    void die_at(Act act, std::uint64_t number) noexcept { plan_ = Plan{act, count(act) + number}; }
    /// Counts the act. False: it does not happen, as the process is dead.
    bool does(Act act) {
        const auto number = ++counts_.at(static_cast<std::size_t>(act));
        if (plan_ && plan_->act == act && number >= plan_->number) die("as planned");
        return !dead();
    }
    [[nodiscard]] bool dead() const noexcept { return dead_ || disk_.stopped(); }
    [[nodiscard]] std::uint64_t count(Act act) const noexcept { return counts_.at(static_cast<std::size_t>(act)); }

private:
    struct Plan {
        Act act = Act::turn;
        std::uint64_t number = 0;
    };
    SimulatedDisk& disk_;
    Events& events_;
    bool dead_ = false;
    std::optional<Plan> plan_;
    std::array<std::uint64_t, 3> counts_{};
};

}  // namespace simulation
