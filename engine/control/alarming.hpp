#pragma once

#include <string>
#include <vector>

#include "protocols/base/clock.hpp"

namespace control {

/// The alarms of a running daemon. Any thread; nothing here waits.
class Alarming {
public:
    virtual ~Alarming() = default;

    struct Alarm {
        std::string rule;     // "grant-dead"
        std::string subject;  // whose: an id; may be empty
        std::string what;     // for people
        std::string remedy;
        WallTime since{};      // it is so since then
        WallTime raised_at{};  // it is an alarm since then
    };
    /// Those that stand.
    [[nodiscard]] virtual std::vector<Alarm> alarms() const = 0;
};

}  // namespace control
