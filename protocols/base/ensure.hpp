#pragma once

#include <source_location>

/// Ends the process when `condition` does not hold: a broken promise of our own code, never of a peer or a disk.
/// Crash-only: the supervisor restarts the daemon and the store recovers. Also in release builds.
void ensure_failed(const char* promise, std::source_location where) noexcept;

inline void ensure(bool condition, const char* promise,
                   std::source_location where = std::source_location::current()) noexcept {
    if (!condition) [[unlikely]]
        ensure_failed(promise, where);
}
