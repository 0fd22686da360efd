#pragma once
/// What the preloaded library tells the referee, and how it finds it. Shared by both; no other includes.

#include <cstdint>

namespace powercut {

/// One sync call of a program under test, told before it is made and again after it returned. The program waits for
/// one byte of answer.
struct SyncEvent {
    enum class Moment : std::uint8_t { before, after };
    std::int32_t pid = 0;
    Moment moment = Moment::before;
    char call[15] = {};
};

/// Of the program's environment: the referee's socket, the device that counts, and "1" when syncs shall do nothing.
constexpr const char* referee_variable = "POWERCUT_REFEREE";
constexpr const char* device_variable = "POWERCUT_DEVICE";
constexpr const char* broken_variable = "POWERCUT_BREAK_SYNC";

}  // namespace powercut
