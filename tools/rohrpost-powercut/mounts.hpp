#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>

#include "tools/rohrpost-powercut/volatile_disk.hpp"

namespace powercut {

/// Runs `work` as the first process of a world of its own, with mounts of its own: all that it starts or mounts ends
/// with it. SIGINT and SIGTERM are blocked and handed on to it. Returns what `work` returned.
int in_a_world_of_its_own(const std::function<int()>& work);
/// Gives the calling thread (and what it starts) mounts of its own: whatever it mounts is gone when it is.
void leave_for_own_mounts();
/// Gives the calling thread (and what it starts) a loopback network of its own.
void leave_for_own_network();

/// A file as a loop device, mounted; unmounted and detached when this ends, or when the process does.
class Mounted {
public:
    /// Throws std::runtime_error with what failed.
    Mounted(int file, std::string file_system, std::filesystem::path place);
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;
    ~Mounted();

    [[nodiscard]] dev_t device() const noexcept { return device_; }

private:
    std::filesystem::path place_;
    Descriptor loop_;
    dev_t device_ = 0;
};

/// An image with an empty file system, made by mkfs.
Image formatted(const std::string& file_system);

}  // namespace powercut
