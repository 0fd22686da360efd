#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/consumers/consumer.hpp"
#include "queue/store/bodies.hpp"

namespace consumers {

/// Whose fault it is that a body could not be read: what is damaged or gone stays so.
Delivered::Fault fault_of_reading(error_code reading);

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

/// The bodies of a batch in its order. Small ones that lie side by side in a segment, as those of one mailbox mostly
/// do, are read together. Any thread.
class BodyRun {
public:
    explicit BodyRun(std::span<const Mail> batch) noexcept : batch_(batch) {}

    /// Whether body() can give it; a larger one goes through a BodyReader.
    [[nodiscard]] static bool small(const Mail& mail) noexcept {
        return mail.record.body.length <= BodyReader::piece_bytes;
    }
    /// The body of the mail at this place of the batch, until the next call. Errors: damaged, and as
    /// store::Bodies::read.
    Result<std::string_view> body(std::size_t at);

private:
    [[nodiscard]] bool has(const Mail& mail) const noexcept;

    static constexpr std::uint64_t gap_bytes_max = 512;  // the header between two, or a tiny body of somebody else

    std::span<const Mail> batch_;
    const store::Bodies* bodies_ = nullptr;
    std::uint64_t segment_ = 0;
    std::uint64_t offset_ = 0;
    std::string text_;
};

}  // namespace consumers
