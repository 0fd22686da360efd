#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/config/faults.hpp"

namespace config {

/// All of `text` as one JSON value, nested at most `depth_max` deep; otherwise nullopt, and a fault that says with line
/// and column where it stops being JSON.
std::optional<boost::json::value> json_of(std::string_view text, std::size_t depth_max, Faults& faults);

}  // namespace config
