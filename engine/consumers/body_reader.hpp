#pragma once

#include <cstdint>
#include <string>

#include "queue/store/bodies.hpp"

namespace consumers {

/// Reads a body from its segment piece by piece: a small one comes whole, a large one never sits in memory. Any thread.
class BodyReader {
public:
    static constexpr std::uint64_t piece_bytes = 256 * 1024;

    BodyReader(const store::Bodies& bodies, const store::BodyPlace& place) noexcept : bodies_(bodies), place_(place) {}

    [[nodiscard]] bool finished() const noexcept { return read_bytes_ == place_.length; }
    /// The next piece. The last one ends in `damaged` when the whole does not match its checksum. Errors as
    /// store::Bodies::read.
    Result<std::string> next();

private:
    const store::Bodies& bodies_;
    store::BodyPlace place_;
    std::uint64_t read_bytes_ = 0;
    std::uint32_t crc32c_ = 0;
};

}  // namespace consumers
