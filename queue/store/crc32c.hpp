#pragma once

#include <cstdint>
#include <string_view>

namespace store {

/// CRC-32C (Castagnoli) of `bytes`, going on from `before` (the sum of what came earlier). RFC 3720 §12.1.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;
/// The same without the processor's instruction.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace store
