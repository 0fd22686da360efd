#include "queue/store/segment_bodies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocols/base/ensure.hpp"
#include "protocols/base/text.hpp"
#include "queue/store/crc32c.hpp"
#include "queue/store/segment_record.hpp"

namespace store {
namespace {

constexpr std::string_view suffix = ".seg";
constexpr std::size_t kept_buffer_bytes_max = 1ULL << 20;  // between groups, so that it need not grow anew in each
// Damage can make a ledger row or a file name say anything. Behind these nothing overflows.
constexpr std::uint64_t number_max = 1ULL << 62;
constexpr std::uint64_t offset_max = 1ULL << 62;

std::optional<std::uint64_t> number_of(std::string_view name) {
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    return text::number<std::uint64_t>(name);
}

/// New segments get a higher number than any that is known.
void note_number(std::uint64_t& last, std::uint64_t number) noexcept {
    if (number < number_max) last = std::max(last, number);
}

/// Whether a body can lie there at all.
bool is_possible(const BodyPlace& place, std::uint64_t body_bytes_max) noexcept {
    return place.length <= body_bytes_max && place.offset >= SegmentRecord::bytes && place.offset < offset_max;
}

}  // namespace

struct SegmentBodies::Segment {
    std::uint64_t number = 0;
    std::shared_ptr<File> file;  // empty until somebody reads a segment of an earlier run; guarded by mutex_
    std::uint64_t end = 0;       // where the next record goes; what is buffered is included
    std::uint64_t unsynced_bytes = 0;
    std::size_t streams = 0;
    bool sealed = false;
    bool due = false;  // a finished body waits for its sync
};

struct SegmentBodies::Stream {
    SegmentPointer segment;
    std::uint64_t offset = 0;  // of the header
    std::uint64_t announced = 0;
    std::uint64_t written = 0;
    std::uint32_t crc32c = 0;
};

SegmentBodies::SegmentBodies(Disk& disk, Path directory, std::shared_ptr<Reserve> reserve, Options options)
    : disk_(disk), directory_(std::move(directory)), reserve_(std::move(reserve)), options_(options) {}

SegmentBodies::~SegmentBodies() = default;

Result<std::unique_ptr<SegmentBodies>> SegmentBodies::open(Disk& disk, Path directory,
                                                           const std::vector<std::uint64_t>& kept, std::uint64_t last,
                                                           std::shared_ptr<Reserve> reserve, Options options) {
    const auto names = disk.list(directory);
    if (!names) return names.error();
    std::unique_ptr<SegmentBodies> bodies(new SegmentBodies(disk, std::move(directory), std::move(reserve), options));
    note_number(bodies->last_number_, last);
    for (const auto number : kept) {
        auto segment = std::make_shared<Segment>();
        segment->number = number;
        segment->sealed = true;
        const auto size = bodies->size_of(number);
        segment->end = size ? *size : 0;
        bodies->segments_[number] = std::move(segment);
        note_number(bodies->last_number_, number);
    }
    std::vector<std::uint64_t> unneeded;
    for (const auto& name : *names) {
        const auto number = number_of(name);
        if (!number || bodies->segments_.contains(*number)) continue;
        unneeded.push_back(*number);
        note_number(bodies->last_number_, *number);
    }
    bodies->reclaim(unneeded);
    return bodies;
}

Path SegmentBodies::path_of(std::uint64_t segment) const {
    return directory_ / fmt::format("{:016}{}", segment, suffix);
}

Result<std::uint64_t> SegmentBodies::size_of(std::uint64_t segment) const {
    const auto file = disk_.open(path_of(segment), Disk::Mode::read);
    if (!file) return file.error();
    return (*file)->size();
}

/// Remembers what ends all writing.
error_code SegmentBodies::noted(error_code reason) {
    if (reason == errc::disk_full) {
        reserve_->release();
        group_failed_ = reason;
        return reason;
    }
    if (!failed_) failed_ = reason;
    return failed_;
}

Result<void> SegmentBodies::may_write() {
    if (failed_) return failed_;
    if (!reserve_->released()) return {};
    const auto restored = reserve_->restore();
    if (!restored) return noted(restored.error());
    return {};
}

/// A new or recycled file under a new number; its name is durable.
Result<SegmentBodies::SegmentPointer> SegmentBodies::new_segment() {
    const std::uint64_t number = last_number_ + 1;
    if (!spare_.empty()) {
        const auto size = size_of(spare_.back());
        const auto renamed = disk_.rename(path_of(spare_.back()), path_of(number));
        if (!renamed) return noted(renamed.error());
        spare_.pop_back();
        spare_bytes_ -= size ? *size : 0;
    }
    auto file = disk_.open(path_of(number), Disk::Mode::create);
    if (!file) return noted(file.error());
    last_number_ = number;
    const auto synced = disk_.sync_directory(directory_);
    if (!synced) return noted(synced.error());
    auto segment = std::make_shared<Segment>();
    segment->number = number;
    segment->file = std::move(*file);
    const std::lock_guard lock(mutex_);
    segments_[number] = segment;
    return segment;
}

/// The active segment has room for a record.
Result<void> SegmentBodies::make_room(std::uint64_t record_bytes) {
    if (active_ && active_->end + record_bytes <= options_.segment_bytes) return {};
    if (active_) {
        const auto flushed = flush();
        if (!flushed) return flushed.error();
        active_->sealed = true;
        close_when_done(*active_);
        active_.reset();
    }
    auto segment = new_segment();
    if (!segment) return segment.error();
    active_ = std::move(*segment);
    return {};
}

Result<void> SegmentBodies::put(Segment& segment, std::string_view bytes, std::uint64_t offset) {
    const auto written = segment.file->write(bytes, offset);
    if (!written) return noted(written.error());
    segment.unsynced_bytes += bytes.size();
    return {};
}

Result<void> SegmentBodies::flush() {
    if (buffer_.empty()) return {};
    const auto bytes = buffer_.size();
    active_->end -= bytes;
    const auto written = put(*active_, buffer_, active_->end);
    buffer_.clear();
    if (buffer_.capacity() > kept_buffer_bytes_max) buffer_.shrink_to_fit();
    if (!written) return written.error();
    active_->end += bytes;
    return {};
}

Result<BodyPlace> SegmentBodies::append(std::string_view body) {
    const std::uint64_t record_bytes = SegmentRecord::bytes + body.size();
    if (record_bytes > options_.segment_bytes / 4) {
        const auto stream = open(body.size());
        if (!stream) return stream.error();
        const auto written = write(*stream, body);
        if (written) return finish(*stream);
        abandon(*stream);
        return written.error();
    }
    const auto ready = may_write();
    if (!ready) return ready.error();
    const auto room = make_room(record_bytes);
    if (!room) return room.error();
    if (buffer_.size() + record_bytes > options_.buffer_bytes_max) {
        const auto flushed = flush();
        if (!flushed) return flushed.error();
    }
    if (!active_->due) unsynced_.push_back(active_);
    active_->due = true;
    const BodyPlace place{.segment = active_->number,
                          .offset = active_->end + SegmentRecord::bytes,
                          .length = body.size(),
                          .crc32c = crc32c(body)};
    append_header(buffer_, {.segment = place.segment, .length = place.length, .crc32c = place.crc32c});
    buffer_ += body;
    active_->end += record_bytes;
    body_bytes_ += body.size();
    return place;
}

Result<StreamedBody> SegmentBodies::open(std::uint64_t bytes) {
    if (bytes > options_.body_bytes_max) return errc::body_too_large;
    const auto ready = may_write();
    if (!ready) return ready.error();
    const std::uint64_t record_bytes = SegmentRecord::bytes + bytes;
    auto stream = std::make_unique<Stream>();
    stream->announced = bytes;
    if (record_bytes > options_.segment_bytes / 4) {
        auto own = new_segment();
        if (!own) return own.error();
        stream->segment = std::move(*own);
        stream->segment->sealed = true;
    } else {
        const auto room = make_room(record_bytes);
        if (!room) return room.error();
        const auto flushed = flush();
        if (!flushed) return flushed.error();
        stream->segment = active_;
        stream->offset = active_->end;
    }
    stream->segment->end = stream->offset + record_bytes;
    ++stream->segment->streams;
    streams_[++last_stream_] = std::move(stream);
    return last_stream_;
}

Result<void> SegmentBodies::write(StreamedBody body, std::string_view chunk) {
    const auto found = streams_.find(body);
    ensure(found != streams_.end(), "a body is written between open and finish");
    Stream& stream = *found->second;
    if (failed_) return failed_;
    if (chunk.size() > stream.announced - stream.written) return errc::damaged;
    const auto put_there = put(*stream.segment, chunk, stream.offset + SegmentRecord::bytes + stream.written);
    if (!put_there) return put_there.error();
    stream.crc32c = crc32c(chunk, stream.crc32c);
    stream.written += chunk.size();
    body_bytes_ += chunk.size();
    if (stream.segment->unsynced_bytes <= options_.unsynced_bytes_max) return {};
    return sync_segment(*stream.segment);
}

Result<BodyPlace> SegmentBodies::finish(StreamedBody body) {
    const auto found = streams_.find(body);
    ensure(found != streams_.end(), "a body is finished once, after open");
    const Stream stream = *found->second;
    abandon(body);
    if (failed_) return failed_;
    if (stream.written != stream.announced) return errc::damaged;
    std::string header;
    append_header(header, {.segment = stream.segment->number, .length = stream.announced, .crc32c = stream.crc32c});
    const auto written = put(*stream.segment, header, stream.offset);
    if (!written) return written.error();
    if (!stream.segment->due) unsynced_.push_back(stream.segment);
    stream.segment->due = true;
    return BodyPlace{.segment = stream.segment->number,
                     .offset = stream.offset + SegmentRecord::bytes,
                     .length = stream.announced,
                     .crc32c = stream.crc32c};
}

Result<BodyPlace> SegmentBodies::finish_early(StreamedBody body) {
    const auto found = streams_.find(body);
    ensure(found != streams_.end(), "a body is finished once, after open");
    found->second->announced = found->second->written;
    return finish(body);
}

void SegmentBodies::abandon(StreamedBody body) noexcept {
    const auto found = streams_.find(body);
    if (found == streams_.end()) return;
    --found->second->segment->streams;
    streams_.erase(found);
}

/// A failed sync tells nothing about what was written before it, whatever its reason: it is the end of all writing.
Result<void> SegmentBodies::sync_segment(Segment& segment) {
    const auto synced = segment.file->sync();
    if (!synced) return noted(errc::io_failed);
    segment.unsynced_bytes = 0;
    ++syncs_;
    return {};
}

Result<void> SegmentBodies::sync() {
    if (failed_) return failed_;
    if (group_failed_) return group_failed_;
    const auto flushed = flush();
    if (!flushed) return flushed.error();
    for (const auto& segment : std::exchange(unsynced_, {})) {
        segment->due = false;
        const auto synced = sync_segment(*segment);
        if (!synced) return synced.error();
        close_when_done(*segment);
    }
    return {};
}

/// Nothing is written to it any more: who reads it opens it again, so that a backlog costs no descriptors.
void SegmentBodies::close_when_done(Segment& segment) {
    if (!segment.sealed || segment.streams > 0 || segment.due) return;
    const std::lock_guard lock(mutex_);
    segment.file.reset();
}

void SegmentBodies::rollback() noexcept {
    group_failed_ = {};
    if (!active_) return;
    active_->end -= buffer_.size();
    buffer_.clear();
}

std::vector<std::uint64_t> SegmentBodies::sealed() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, segment] : segments_) {
        if (segment->sealed && segment->streams == 0) numbers.push_back(number);
    }
    return numbers;
}

void SegmentBodies::reclaim(const std::vector<std::uint64_t>& segments) {
    for (const auto number : segments) {
        {
            const std::lock_guard lock(mutex_);
            segments_.erase(number);
        }
        // A missing file has no room to give; a failure to remove leaves a file that the next start finds unneeded.
        const auto size = size_of(number);
        if (!size) continue;
        if (spare_.size() < options_.spare_files_max && *size <= options_.segment_bytes) {
            spare_.push_back(number);
            spare_bytes_ += *size;
        } else {
            static_cast<void>(disk_.remove(path_of(number)));
        }
    }
}

bool SegmentBodies::short_of_room() const { return reserve_->released(); }

Bodies::Usage SegmentBodies::usage() const {
    Usage usage{.syncs = syncs_, .body_bytes = body_bytes_};
    const std::lock_guard lock(mutex_);
    usage.segments = segments_.size();
    usage.segment_bytes = spare_bytes_;
    for (const auto& [number, segment] : segments_) usage.segment_bytes += segment->end;
    return usage;
}

bool SegmentBodies::holds(std::uint64_t segment) const {
    const std::lock_guard lock(mutex_);
    return segments_.contains(segment);
}

Result<std::shared_ptr<const File>> SegmentBodies::reader_of(std::uint64_t segment) const {
    const std::lock_guard lock(mutex_);
    const auto found = segments_.find(segment);
    if (found == segments_.end()) return errc::body_gone;
    auto& file = found->second->file;
    if (!file) {
        auto opened = disk_.open(path_of(segment), Disk::Mode::read);
        if (!opened) return is_missing(opened.error()) ? error_code(errc::damaged) : opened.error();
        file = std::move(*opened);
        opened_.push_back(segment);
        if (opened_.size() > options_.open_files_max) {
            const auto oldest = segments_.find(opened_.front());
            if (oldest != segments_.end()) oldest->second->file.reset();  // whoever reads it now has it still
            opened_.pop_front();
        }
    }
    return std::shared_ptr<const File>(file);
}

Result<std::string> SegmentBodies::read(const BodyPlace& place, std::uint64_t offset, std::uint64_t bytes) const {
    if (!is_possible(place, options_.body_bytes_max) || offset > place.length) {
        return holds(place.segment) ? errc::damaged : errc::body_gone;
    }
    auto text = read_range(place.segment, place.offset + offset, std::min(bytes, place.length - offset));
    if (!text) return text;
    const bool is_whole = offset == 0 && text->size() == place.length;
    if (is_whole && crc32c(*text) != place.crc32c) return errc::damaged;
    return text;
}

Result<std::string> SegmentBodies::read_range(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes) const {
    const auto file = reader_of(segment);
    if (!file) return file.error();
    if (bytes > options_.body_bytes_max || offset > offset_max) return errc::damaged;
    std::string text(bytes, '\0');
    const auto got = (*file)->read(text, offset);
    // Reclaimed meanwhile: what was read may be another body's bytes already.
    if (!holds(segment)) return errc::body_gone;
    if (!got) return got.error();
    if (*got != text.size()) return errc::damaged;
    return text;
}

}  // namespace store
