#include "engine/dispatcher/stored_body.hpp"

#include <algorithm>

#include "queue/store/crc32c.hpp"

namespace dispatcher {

awaitable<Result<std::string_view>> StoredBody::next() {
    const std::uint64_t bytes = std::min(piece_bytes, place_.length - offset_);
    if (bytes == 0) co_return std::string_view();
    auto read = bodies_.read(place_, offset_, bytes);
    if (!read) co_return read.error();
    piece_ = std::move(*read);
    crc_ = store::crc32c(piece_, crc_);
    offset_ += bytes;
    if (offset_ == place_.length && crc_ != place_.crc32c) co_return store::errc::damaged;
    co_return std::string_view(piece_);
}

}  // namespace dispatcher
