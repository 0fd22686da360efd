#include "engine/consumers/body_reader.hpp"

#include <algorithm>

#include "queue/store/crc32c.hpp"

namespace consumers {

Result<std::string> BodyReader::next() {
    const auto wanted = std::min(piece_bytes, place_.length - read_bytes_);
    auto piece = bodies_.read(place_, read_bytes_, wanted);
    if (!piece) return piece.error();
    if (piece->size() != wanted) return store::errc::damaged;
    const bool whole = wanted == place_.length;  // then the read itself has checked it
    if (!whole) crc32c_ = store::crc32c(*piece, crc32c_);
    read_bytes_ += wanted;
    if (!whole && finished() && crc32c_ != place_.crc32c) return store::errc::damaged;
    return piece;
}

}  // namespace consumers
