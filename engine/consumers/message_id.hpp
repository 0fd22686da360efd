#pragma once

#include <string>

#include "queue/store/records.hpp"

namespace consumers {

/// The stable id of a message as consumers see it: 32 hexadecimal digits.
std::string text_of(const store::Digest& id);

}  // namespace consumers
