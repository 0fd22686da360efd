#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "protocols/wait/timers.hpp"

namespace consumers {

/// Connections that nobody uses at the moment, kept for a while. One shard.
template <class Line>
class Resting {
public:
    Resting(Timers& timers, std::chrono::milliseconds longest)
        : timers_(timers), longest_(longest), timer_(timers, close_old, this) {}

    void put(std::unique_ptr<Line> line) {
        lines_.push_back({timers_.now(), std::move(line)});
        if (!timer_.armed()) timer_.arm(lines_.front().since + longest_);
    }
    /// The one that has rested least; nullptr: there is none.
    std::unique_ptr<Line> take() {
        if (lines_.empty()) return nullptr;
        auto line = std::move(lines_.back().line);
        lines_.pop_back();
        return line;
    }
    void clear() noexcept { lines_.clear(); }
    [[nodiscard]] std::size_t count() const noexcept { return lines_.size(); }

private:
    struct Rests {
        Monotonic since{};
        std::unique_ptr<Line> line;
    };
    static void close_old(void* resting) {
        auto& self = *static_cast<Resting*>(resting);
        const auto now = self.timers_.now();
        std::erase_if(self.lines_, [&](const Rests& one) { return one.since + self.longest_ <= now; });
        if (!self.lines_.empty()) self.timer_.arm(self.lines_.front().since + self.longest_);
    }

    Timers& timers_;
    std::chrono::milliseconds longest_;
    std::vector<Rests> lines_;  // in the order of their rest
    Timer timer_;
};

}  // namespace consumers
