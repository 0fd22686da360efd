#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace support {

/// A TCP port on 127.0.0.1 that nobody listens on, and that no other caller of this gets before this process ends.
std::uint16_t free_port();
/// Whether something accepts connections there.
bool listened_on(std::uint16_t port);

/// SIGKILL to every process of that name which descends from the other; how many there were.
std::size_t kill_descendants(pid_t ancestor, std::string_view name);
/// Processor time that a process, all that descend from it, and those of them that have ended, took so far.
std::chrono::duration<double> cpu_of_family(pid_t ancestor);

}  // namespace support
