#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace store {

/// What stands before each body in a segment file. 32 bytes, little-endian: magic, CRC-32C of the bytes that follow,
/// segment number (its epoch: files are used again, numbers never), body length, body CRC-32C, zero.
struct SegmentRecord {
    static constexpr std::size_t bytes = 32;

    std::uint64_t segment = 0;
    std::uint64_t length = 0;
    std::uint32_t crc32c = 0;

    bool operator==(const SegmentRecord&) const = default;
};

void append_header(std::string& to, const SegmentRecord& record);
/// nullopt: not a header, or a damaged one.
std::optional<SegmentRecord> read_header(std::string_view bytes);

}  // namespace store
