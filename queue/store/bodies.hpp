#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/records.hpp"

namespace store {

class Disk;

/// A body that streams into its segment while it arrives.
using StreamedBody = std::uint64_t;  // handle, valid within this process

/// Message bodies in append-only segment files. Writing belongs to the committer's thread; reading may be done by any.
/// The ledger row that names a body is added by the same job that appended or finished it; the body can be read once
/// that job is done.
class Bodies {
public:
    virtual ~Bodies() = default;

    /// Errors: body_too_large, disk_full, io_failed.
    virtual Result<BodyPlace> append(std::string_view body) = 0;
    /// Reserves room for `bytes`. The body becomes real with finish() and the ledger row that names it.
    virtual Result<StreamedBody> open(std::uint64_t bytes) = 0;
    virtual Result<void> write(StreamedBody body, std::string_view chunk) = 0;
    /// Errors: damaged when fewer or more bytes came than announced.
    virtual Result<BodyPlace> finish(StreamedBody body) = 0;
    /// As finish(), where `bytes` of open() was a bound: the body ends where it was written to.
    virtual Result<BodyPlace> finish_early(StreamedBody body) = 0;
    virtual void abandon(StreamedBody body) noexcept = 0;
    /// Everything written so far is durable when it returns. A failure is never retried.
    virtual Result<void> sync() = 0;
    /// The group failed: what was appended since the last sync() may go.
    virtual void rollback() noexcept = 0;

    /// Any thread. Reads `bytes` from `offset` within the body; the whole body is checked against its checksum when
    /// offset is 0 and bytes covers it. Errors: damaged, body_gone, io_failed.
    virtual Result<std::string> read(const BodyPlace& place, std::uint64_t offset, std::uint64_t bytes) const = 0;

    /// Any thread. Reads `bytes` of a segment from `offset` (as in BodyPlace): several bodies that lie side by side,
    /// with one call. Nothing is checked: each body has a checksum of its own. Errors as read().
    virtual Result<std::string> read_range(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes) const = 0;

    /// Segments that take no more bodies: what Store::release_segments() may let go.
    virtual std::vector<std::uint64_t> sealed() const = 0;
    /// Their bodies are gone from now on and their room is used again. Only after a durable release_segments().
    virtual void reclaim(const std::vector<std::uint64_t>& segments) = 0;
    /// The reserve is in use: bodies are refused with disk_full until it could be restored.
    virtual bool short_of_room() const = 0;
    struct Usage {
        std::uint64_t segments = 0;
        std::uint64_t segment_bytes = 0;  // on disk, spare files included
        std::uint64_t syncs = 0;
        std::uint64_t body_bytes = 0;  // taken in since the start
    };
    virtual Usage usage() const = 0;
};

}  // namespace store
