#pragma once

#include <cstdio>

namespace support {

/// Whether programs are built with a sanitizer: it keeps what was freed, and needs terabytes of addresses.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

/// For tests of what a sanitizer changes: true, and says so, when there is one.
inline bool skipped_when_sanitized() {
    if (sanitized) std::puts("SKIPPED: the sanitizer takes memory of its own");
    return sanitized;
}

}  // namespace support
