#include "protocols/net/unread.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocols/base/ensure.hpp"

namespace net {

void Unread::consume(std::size_t bytes) noexcept {
    ensure(bytes <= end_ - begin_, "only what is unread can be consumed");
    begin_ += bytes;
    if (empty()) settle();
}

std::span<char> Unread::room(std::size_t bytes_min) {
    if (buffer_.capacity - end_ < bytes_min) {
        const std::size_t unread = end_ - begin_;
        if (buffer_.capacity >= BufferPool::buffer_bytes && buffer_.capacity - unread >= bytes_min) {
            std::memmove(buffer_.bytes.get(), buffer_.bytes.get() + begin_, unread);
            begin_ = 0;
            end_ = unread;
        } else if (unread + bytes_min <= BufferPool::buffer_bytes) {
            move_to(pool_.take());
        } else {
            move_to(Buffer::of(std::max(2 * unread, unread + bytes_min)));
        }
    }
    return {buffer_.bytes.get() + end_, buffer_.capacity - end_};
}

void Unread::settle() {
    const std::size_t unread = end_ - begin_;
    if (unread == 0) {
        pool_.give(std::exchange(buffer_, {}));
        begin_ = end_ = 0;
    } else if (unread < tail_bytes_max && buffer_.capacity >= BufferPool::buffer_bytes) {
        move_to(Buffer::of(unread));
    }
}

void Unread::move_to(Buffer buffer) noexcept {
    const std::size_t unread = end_ - begin_;
    if (unread > 0) std::memcpy(buffer.bytes.get(), buffer_.bytes.get() + begin_, unread);
    pool_.give(std::exchange(buffer_, std::move(buffer)));
    begin_ = 0;
    end_ = unread;
}

}  // namespace net
