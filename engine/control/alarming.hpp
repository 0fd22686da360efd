#pragma once

#include <string>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// The alarms of a running daemon.
class Alarming {
public:
    virtual ~Alarming() = default;

    struct Alarm {
        std::string rule;     // "grant-dead"
        std::string subject;  // whose: an id; may be empty
        std::string step;     // of one that gets worse; each is told anew
        std::string what;     // for people
        std::string remedy;
        WallTime since{};      // it is so since then
        WallTime raised_at{};  // it is an alarm since then
    };
    /// Those that stand. Any thread.
    [[nodiscard]] virtual std::vector<Alarm> alarms() const = 0;
    /// Whether anybody is told of them.
    [[nodiscard]] virtual bool tells() const = 0;
    /// Everything that is wrong at this moment, however short, for whoever watches from another machine. On the shard
    /// of the API.
    virtual awaitable<std::vector<Alarm>> conditions() = 0;
};

}  // namespace control
