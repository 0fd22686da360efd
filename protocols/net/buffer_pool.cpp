#include "protocols/net/buffer_pool.hpp"

#include <utility>

namespace net {

Buffer BufferPool::take() {
    if (free_.empty()) return Buffer::of(buffer_bytes);
    Buffer buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
}

void BufferPool::give(Buffer buffer) noexcept {
    if (buffer.capacity == buffer_bytes && free_.size() < free_max_) free_.push_back(std::move(buffer));
}

}  // namespace net
