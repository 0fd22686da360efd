#include "tests/support/places.hpp"

namespace support {

std::string source_directory() { return ROHRPOST_SOURCE_DIR; }
std::string binary_directory() { return ROHRPOST_BINARY_DIR; }

}  // namespace support
