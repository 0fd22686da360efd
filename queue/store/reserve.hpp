#pragma once

#include <cstdint>

#include "queue/store/file.hpp"

namespace store {

/// A file that only takes up room, so that there is some left for acknowledgements and cursors when the disk is full.
/// While it is released, no new bodies are taken. The committer's thread only.
class Reserve {
public:
    /// `bytes` 0: no reserve is kept.
    Reserve(Disk& disk, Path path, std::uint64_t bytes) : disk_(disk), path_(std::move(path)), bytes_(bytes) {}

    /// Takes up the room (again). Errors: disk_full: the reserve stays released.
    Result<void> restore();
    /// Gives its room away. What fails here shows at the next write.
    void release() noexcept;
    [[nodiscard]] bool released() const noexcept { return released_; }

private:
    Disk& disk_;
    Path path_;
    std::uint64_t bytes_;
    bool released_ = true;
};

}  // namespace store
