#pragma once

#include <string>

namespace support {

/// The checkout, and the folder it is built in. Only one file is compiled with them: all others are the same wherever
/// they are built, so that a compiler cache knows them.
std::string source_directory();
std::string binary_directory();

}  // namespace support
