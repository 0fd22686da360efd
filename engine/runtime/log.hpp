#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace runtime {

enum class LogFormat { text, json };

/// Sets up the one log of the process, on standard error. `level`: trace debug info warning error off.
/// Lines are key=value text; JSON puts the same line into "message" beside time, level and thread.
/// Throws std::invalid_argument for an unknown level.
void open_log(const std::string& level, LogFormat format);

/// A value of a key=value line: quoted when it has blanks, quotes or is empty; controls are escaped.
std::string value(std::string_view text);

}  // namespace runtime
