#pragma once

#include <chrono>
#include <string>

#include "protocols/base/clock.hpp"

namespace doctor {

/// "2026-11-27 08:15 UTC"
std::string time_text(WallTime time);
/// "3 days", "45 minutes", "20 seconds"; never negative.
std::string span_text(std::chrono::seconds span);

}  // namespace doctor
