#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <thread>

#include "tools/rohrpost-powercut/descriptor.hpp"
#include "tools/rohrpost-powercut/sync_event.hpp"

namespace powercut {

/// Hears of every sync call of the programs under test, one at a time; each waits until `hear` has returned. `hear`
/// runs on the referee's thread and must not throw.
class Referee {
public:
    using Hear = std::function<void(const SyncEvent&)>;
    Referee(std::filesystem::path place, Hear hear);
    Referee(const Referee&) = delete;
    Referee& operator=(const Referee&) = delete;
    ~Referee();

    [[nodiscard]] const std::filesystem::path& place() const noexcept { return place_; }

private:
    void serve();

    std::filesystem::path place_;
    Hear hear_;
    Descriptor listener_;
    std::thread thread_;
};

}  // namespace powercut
