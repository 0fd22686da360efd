#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/alarming/condition.hpp"
#include "protocols/base/clock.hpp"

namespace alarming {

/// What has become of the conditions: which of them are alarms. A value; the caller keeps the raised ones durably.
class Board {
public:
    struct Entry {
        Condition condition{};
        WallTime since{};                  // it stands since then
        std::optional<WallTime> raised{};  // it is an alarm since then
        std::optional<WallTime> gone{};    // it is not there any more since then
    };
    struct Change {
        enum class Is { raised, cleared } is = Is::raised;
        Condition condition{};
        WallTime since{};  // it stands, or stood, since then
    };

    /// These conditions are there now. What that makes of the alarms, in order of their key. `unit`: of patience_of().
    std::vector<Change> look(const std::vector<Condition>& now_there, WallTime now, std::chrono::milliseconds unit);
    /// The alarms, in order of their key.
    [[nodiscard]] std::vector<Entry> raised() const;

    /// The alarms as one line of JSON, and back. Whatever cannot be read is no alarm.
    [[nodiscard]] std::string written() const;
    static Board read(std::string_view written);

private:
    std::map<std::string, Entry> entries_;  // by Condition::key
};

}  // namespace alarming
