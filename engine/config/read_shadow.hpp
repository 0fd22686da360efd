#pragma once

#include <chrono>
#include <string>

#include "engine/config/faults.hpp"
#include "engine/config/fields.hpp"
#include "engine/config/model.hpp"

namespace config {

/// "shadow" of a mailbox, and what does not go together with it. After all other keys of the mailbox.
void read_shadow(const Fields& fields, Mailbox& into, Faults& faults);

/// 15m, 2h, 90s.
std::string grace_text(std::chrono::milliseconds grace);

}  // namespace config
