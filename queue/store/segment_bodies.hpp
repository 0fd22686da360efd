#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "queue/store/bodies.hpp"
#include "queue/store/file.hpp"
#include "queue/store/reserve.hpp"

namespace store {

/// Bodies in a directory of segment files, `<number>.seg`. A record is a header (segment_record.hpp) and the body.
/// Small bodies gather in a buffer that is written with one call per group; large ones stream into a range that is
/// reserved for them, or into a segment of their own. After a restart, writing goes on in a new segment.
/// Reclaimed files are renamed and overwritten in place: a sync then need not touch the file system's journal.
class SegmentBodies final : public Bodies {
public:
    struct Options {
        std::uint64_t segment_bytes = 64ULL << 20;
        std::uint64_t body_bytes_max = 256ULL << 20;
        std::size_t spare_files_max = 4;
        std::size_t buffer_bytes_max = 4ULL << 20;    // small bodies not yet written
        std::size_t unsynced_bytes_max = 8ULL << 20;  // of streaming bodies, before they are synced on the way
        std::size_t open_files_max = 64;              // of segments that are only read
    };

    /// `kept` are the segments the ledger needs; every other file is room to use again. `last` is the highest number
    /// any ledger row names. Errors: those of the disk.
    static Result<std::unique_ptr<SegmentBodies>> open(Disk& disk, Path directory,
                                                       const std::vector<std::uint64_t>& kept, std::uint64_t last,
                                                       std::shared_ptr<Reserve> reserve, Options options);
    ~SegmentBodies() override;

    Result<BodyPlace> append(std::string_view body) override;
    Result<StreamedBody> open(std::uint64_t bytes) override;
    Result<void> write(StreamedBody body, std::string_view chunk) override;
    Result<BodyPlace> finish(StreamedBody body) override;
    Result<BodyPlace> finish_early(StreamedBody body) override;
    void abandon(StreamedBody body) noexcept override;
    Result<void> sync() override;
    void rollback() noexcept override;
    Result<std::string> read(const BodyPlace& place, std::uint64_t offset, std::uint64_t bytes) const override;
    Result<std::string> read_range(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes) const override;
    std::vector<std::uint64_t> sealed() const override;
    void reclaim(const std::vector<std::uint64_t>& segments) override;
    bool short_of_room() const override;
    Usage usage() const override;

    /// The file of a segment and its size; an error when it is missing.
    Result<std::uint64_t> size_of(std::uint64_t segment) const;

private:
    struct Segment;
    struct Stream;
    using SegmentPointer = std::shared_ptr<Segment>;

    SegmentBodies(Disk& disk, Path directory, std::shared_ptr<Reserve> reserve, Options options);

    Result<void> may_write();
    Result<SegmentPointer> new_segment();
    Result<void> make_room(std::uint64_t record_bytes);
    Result<void> flush();
    Result<void> put(Segment& segment, std::string_view bytes, std::uint64_t offset);
    Result<void> sync_segment(Segment& segment);
    void close_when_done(Segment& segment);
    error_code noted(error_code reason);
    Result<std::shared_ptr<const File>> reader_of(std::uint64_t segment) const;
    [[nodiscard]] bool holds(std::uint64_t segment) const;
    [[nodiscard]] Path path_of(std::uint64_t segment) const;

    Disk& disk_;
    const Path directory_;
    const std::shared_ptr<Reserve> reserve_;
    const Options options_;

    // The committer's thread only.
    SegmentPointer active_;
    std::string buffer_;  // what comes at the end of active_'s written part
    std::vector<SegmentPointer> unsynced_;
    std::vector<std::uint64_t> spare_;  // numbers whose files may be overwritten
    std::map<StreamedBody, std::unique_ptr<Stream>> streams_;
    std::uint64_t last_number_ = 0;
    StreamedBody last_stream_ = 0;
    error_code failed_;        // for good
    error_code group_failed_;  // until rollback()

    // Any thread.
    mutable std::mutex mutex_;
    mutable std::map<std::uint64_t, SegmentPointer> segments_;
    mutable std::deque<std::uint64_t> opened_;  // for reading alone, in this order
    std::atomic<std::uint64_t> spare_bytes_{0};
    std::atomic<std::uint64_t> syncs_{0};
    std::atomic<std::uint64_t> body_bytes_{0};
};

}  // namespace store
