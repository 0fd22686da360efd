#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocols/net/buffer_pool.hpp"

namespace net {

/// What one stream received and nobody consumed yet. Holds no memory when empty, a pooled buffer while bytes come in,
/// an exact-size piece while a short tail waits for its rest, and a larger buffer only when the reader asks for more
/// without consuming.
class Unread {
public:
    explicit Unread(BufferPool& pool) noexcept : pool_(pool) {}
    Unread(const Unread&) = delete;
    Unread& operator=(const Unread&) = delete;
    ~Unread() { pool_.give(std::move(buffer_)); }

    [[nodiscard]] std::string_view view() const noexcept { return {buffer_.bytes.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    void consume(std::size_t bytes) noexcept;

    /// Free space behind the unread bytes, at least `bytes_min` (which a pooled buffer can hold). Views move.
    std::span<char> room(std::size_t bytes_min);
    void filled(std::size_t bytes) noexcept { end_ += bytes; }
    /// Gives back what is not needed while waiting. Views move.
    void settle();

private:
    static constexpr std::size_t tail_bytes_max = 4096;
    void move_to(Buffer buffer) noexcept;

    BufferPool& pool_;
    Buffer buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace net
