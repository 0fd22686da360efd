#pragma once

#include <sys/types.h>

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

}  // namespace support
