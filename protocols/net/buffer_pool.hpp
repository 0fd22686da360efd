#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace net {

/// Bytes without a meaning yet; not cleared.
struct Buffer {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;

    static Buffer of(std::size_t capacity) { return {std::make_unique_for_overwrite<char[]>(capacity), capacity}; }
};

/// The receive buffers of one shard: taken while bytes are pending, given back when they are consumed, so that their
/// number follows the busy connections, not the open ones. Keeps a few free ones. Not thread-safe; outlives the
/// streams that use it.
class BufferPool {
public:
    /// One receive of 64 KiB of records, plus the record that began in the receive before.
    static constexpr std::size_t buffer_bytes = 80 * 1024;

    explicit BufferPool(std::size_t free_max = 16) : free_max_(free_max) { free_.reserve(free_max); }
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    Buffer take();
    /// Buffers of another size end here.
    void give(Buffer buffer) noexcept;
    [[nodiscard]] std::size_t free() const noexcept { return free_.size(); }

private:
    std::size_t free_max_;
    std::vector<Buffer> free_;
};

/// A buffer of the pool for the time of one function: never held across a suspension point.
class Scratch {
public:
    explicit Scratch(BufferPool& pool) : pool_(pool), buffer_(pool.take()) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { pool_.give(std::move(buffer_)); }

    [[nodiscard]] char* data() noexcept { return buffer_.bytes.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return buffer_.capacity; }

private:
    BufferPool& pool_;
    Buffer buffer_;
};

}  // namespace net
