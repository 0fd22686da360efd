#include "queue/store/open.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace store {
namespace {

const char* advice_on(error_code reason) {
    if (reason == errc::in_use) return "stop the other rohrpost that runs on this directory, or choose another --data";
    if (reason == errc::newer_format) return "run the newer version again, or restore a backup made by this one";
    if (reason == errc::not_a_store) return "choose another --data, or restore the missing files from a backup";
    if (reason == errc::unreadable) return "make it readable and writable for the user that runs rohrpost";
    if (reason == errc::disk_full) return "make room on the disk, then start again";
    if (reason == errc::damaged) return "check the disk, and restore the file from a backup";
    return "check the disk and the kernel log, then start again";
}

/// One opening, step by step; the path at hand names the culprit.
class Opening {
public:
    Opening(Disk& disk, const Path& directory, const OpenOptions& options)
        : disk_(disk), directory_(directory), options_(options), at_hand_(directory) {}

    Result<void> lay_out();
    Result<void> renew_log();
    Result<void> open_ledger();
    Result<void> open_bodies();
    Result<void> check_last_bodies();

    [[nodiscard]] const Path& at_hand() const noexcept { return at_hand_; }
    OpenedStore take() { return std::move(opened_); }

private:
    [[nodiscard]] Path segments() const { return directory_ / "segments"; }
    /// 0 for a file that is missing.
    Result<std::uint64_t> size_of(const Path& path) {
        const auto file = disk_.open(path, Disk::Mode::read);
        if (!file && is_missing(file.error())) return std::uint64_t{0};
        if (!file) return file.error();
        return (*file)->size();
    }

    Disk& disk_;
    const Path& directory_;
    const OpenOptions& options_;
    Path at_hand_;
    std::shared_ptr<Reserve> reserve_;
    OpenedStore opened_;
};

Result<void> Opening::lay_out() {
    const auto made = disk_.make_directory(directory_);
    if (!made) return made.error();
    at_hand_ = directory_ / "lock";
    auto lock = disk_.lock(at_hand_);
    if (!lock) return lock.error();
    opened_.lock = std::move(*lock);
    at_hand_ = segments();
    const auto made_segments = disk_.make_directory(at_hand_);
    if (!made_segments) return made_segments.error();
    const auto synced = disk_.sync_directory(directory_);
    if (!synced) return synced.error();
    at_hand_ = directory_ / "reserve";
    reserve_ = std::make_shared<Reserve>(disk_, at_hand_, options_.reserve_bytes);
    const auto reserved = reserve_->restore();
    if (!reserved && reserved.error() != errc::disk_full) return reserved.error();
    return {};
}

/// A sync that failed in an earlier run leaves bytes that can be read and, as the kernel takes them for written, never
/// reach the disk by themselves. Recovery goes on from what it reads in the log: all of it is written once more.
Result<void> Opening::renew_log() {
    at_hand_ = directory_ / "ledger.db-wal";
    const auto log = disk_.open(at_hand_, Disk::Mode::write);
    if (!log) return is_missing(log.error()) ? Result<void>() : log.error();
    std::string piece(1 << 20, '\0');
    for (std::uint64_t at = 0;;) {
        const auto got = (*log)->read(piece, at);
        if (!got) return got.error();
        if (*got == 0) break;
        const auto written = (*log)->write(std::string_view(piece).substr(0, *got), at);
        if (!written) return written.error();
        at += *got;
    }
    return (*log)->sync();
}

Result<void> Opening::open_ledger() {
    at_hand_ = directory_ / "ledger.db";
    const auto ledger_bytes = size_of(at_hand_);
    if (!ledger_bytes) return ledger_bytes.error();
    if (*ledger_bytes == 0) {
        // Segments without a ledger: it was lost, and a new one would have every body reclaimed.
        const auto names = disk_.list(segments());
        if (!names) return names.error();
        if (!names->empty()) return errc::not_a_store;
    }
    auto store = SqliteStore::open(disk_, at_hand_, reserve_, options_.ledger);
    if (!store) return store.error();
    opened_.store = std::move(*store);
    return disk_.sync_directory(directory_);
}

Result<void> Opening::open_bodies() {
    at_hand_ = directory_ / "ledger.db";
    const auto needed = opened_.store->needed_segments();
    if (!needed) return needed.error();
    std::vector<std::uint64_t> kept;
    for (const auto& need : *needed) kept.push_back(need.segment);
    at_hand_ = segments();
    auto bodies =
        SegmentBodies::open(disk_, segments(), kept, opened_.store->last_segment(), reserve_, options_.bodies);
    if (!bodies) return bodies.error();
    opened_.bodies = std::move(*bodies);
    opened_.store->count_files_of(*opened_.bodies);
    for (const auto& need : *needed) {
        const auto size = opened_.bodies->size_of(need.segment);
        if (!size) {
            opened_.findings.push_back(fmt::format("{}: segment {} cannot be opened: {}", segments().string(),
                                                   need.segment, size.error().message()));
        } else if (*size < need.bytes_end) {
            opened_.findings.push_back(fmt::format("{}: segment {} ends at byte {}, the ledger needs {}",
                                                   segments().string(), need.segment, *size, need.bytes_end));
        }
    }
    return {};
}

Result<void> Opening::check_last_bodies() {
    for (const auto& place : opened_.store->last_bodies()) {
        const auto body = opened_.bodies->read(place, 0, place.length);
        if (body || body.error() == errc::body_gone) continue;
        opened_.findings.push_back(fmt::format("{}: segment {}, {} bytes at {}: {}", segments().string(), place.segment,
                                               place.length, place.offset, body.error().message()));
    }
    return {};
}

}  // namespace

Result<OpenedStore> open_store(Disk& disk, const Path& directory, const OpenOptions& options, OpenFailure* failure) {
    Opening opening(disk, directory, options);
    for (const auto step : {&Opening::lay_out, &Opening::renew_log, &Opening::open_ledger, &Opening::open_bodies,
                            &Opening::check_last_bodies}) {
        const auto taken = (opening.*step)();
        if (taken) continue;
        if (failure != nullptr) {
            *failure = {taken.error(), fmt::format("{}: {}; {}", opening.at_hand().string(), taken.error().message(),
                                                   advice_on(taken.error()))};
        }
        return taken.error();
    }
    return opening.take();
}

}  // namespace store
