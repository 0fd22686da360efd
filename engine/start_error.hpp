#pragma once

#include <stdexcept>
#include <string>

inline constexpr int exit_config = 78;  // sysexits.h

/// Why the daemon cannot start, or has to end: a sentence with the remedy, and the exit code of sysexits.h.
class StartError : public std::runtime_error {
public:
    StartError(int code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
    [[nodiscard]] int code() const noexcept { return code_; }

private:
    int code_;
};
