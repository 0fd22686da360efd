#pragma once

#include <sysexits.h>

#include <stdexcept>
#include <string>

namespace cli {

/// Ends a command: one line for standard error, and the exit code (sysexits.h).
class Failure : public std::runtime_error {
public:
    Failure(int code, const std::string& line) : std::runtime_error(line), code_(code) {}
    [[nodiscard]] int code() const noexcept { return code_; }

private:
    int code_;
};

}  // namespace cli
