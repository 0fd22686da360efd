#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/records.hpp"

namespace store {

class Disk;

/// A body that streams into its segment while it arrives.
using StreamedBody = std::uint64_t;  // handle, valid within this process

/// Message bodies in append-only segment files. Writing belongs to the committer's thread; reading may be done by any.
class Bodies {
public:
    virtual ~Bodies() = default;

    virtual Result<BodyPlace> append(std::string_view body) = 0;
    /// Reserves room for `bytes`. The body becomes real with finish() and the ledger row that names it.
    virtual Result<StreamedBody> open(std::uint64_t bytes) = 0;
    virtual Result<void> write(StreamedBody body, std::string_view chunk) = 0;
    /// Errors: damaged when fewer or more bytes came than announced.
    virtual Result<BodyPlace> finish(StreamedBody body) = 0;
    virtual void abandon(StreamedBody body) noexcept = 0;
    /// Everything written so far is durable when it returns. A failure is never retried.
    virtual Result<void> sync() = 0;

    /// Any thread. Reads `bytes` from `offset` within the body; the whole body is checked against its checksum when
    /// offset is 0 and bytes covers it. Errors: damaged, body_gone, io_failed.
    virtual Result<std::string> read(const BodyPlace& place, std::uint64_t offset, std::uint64_t bytes) const = 0;
};

}  // namespace store
