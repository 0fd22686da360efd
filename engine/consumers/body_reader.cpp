#include "engine/consumers/body_reader.hpp"

#include <algorithm>

#include "queue/store/crc32c.hpp"

namespace consumers {

Delivered::Fault fault_of_reading(error_code reading) {
    const bool lost = reading == store::errc::damaged || reading == store::errc::body_gone;
    return lost ? Delivered::Fault::message : Delivered::Fault::consumer;
}

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

bool BodyRun::has(const Mail& mail) const noexcept {
    const auto& place = mail.record.body;
    return bodies_ == mail.bodies && segment_ == place.segment && offset_ <= place.offset &&
           place.length <= text_.size() && place.offset - offset_ <= text_.size() - place.length;
}

Result<std::string_view> BodyRun::body(std::size_t at) {
    const auto& place = batch_[at].record.body;
    if (!has(batch_[at])) {
        const std::uint64_t own_end = place.offset + place.length;
        std::uint64_t end = own_end;
        for (const Mail& next : batch_.subspan(at + 1)) {
            const auto& follows = next.record.body;
            const bool beside = next.bodies == batch_[at].bodies && follows.segment == place.segment &&
                                follows.offset >= end && follows.offset - end <= gap_bytes_max &&
                                follows.length <= BodyReader::piece_bytes;
            const auto ends = follows.offset + follows.length;
            if (!beside || ends - place.offset > BodyReader::piece_bytes) break;
            end = ends;
        }
        bodies_ = nullptr;
        auto text = batch_[at].bodies->read_range(place.segment, place.offset, end - place.offset);
        // What a neighbour lacks is not this one's fault.
        if (!text && end > own_end) {
            text = batch_[at].bodies->read_range(place.segment, place.offset, place.length);
        }
        if (!text) return text.error();
        text_ = std::move(*text);
        bodies_ = batch_[at].bodies;
        segment_ = place.segment;
        offset_ = place.offset;
    }
    const auto body = std::string_view(text_).substr(place.offset - offset_, place.length);
    if (store::crc32c(body) != place.crc32c) return store::errc::damaged;
    return body;
}

}  // namespace consumers
