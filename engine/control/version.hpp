#pragma once

#include <string_view>

namespace control {

/// Of the program, as project() in CMakeLists.txt says.
extern const std::string_view version;

}  // namespace control
