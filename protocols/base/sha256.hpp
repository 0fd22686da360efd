#pragma once

#include <string>
#include <string_view>

/// SHA-256 as 32 bytes. FIPS 180-4.
std::string sha256_of(std::string_view bytes);
