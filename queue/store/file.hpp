#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"

namespace store {

using Path = std::filesystem::path;

/// An open file. Closed when it ends. Reading and writing at offsets may be done by any thread.
class File {
public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;

    /// Fills `into` from `offset` on; returns how many bytes there were (fewer only at the end of the file).
    virtual Result<std::size_t> read(std::span<char> into, std::uint64_t offset) const = 0;
    /// All of `bytes` at `offset`, or an error and any part of them.
    virtual Result<void> write(std::string_view bytes, std::uint64_t offset) = 0;
    /// Contents and size are durable when it returns. After a failure nothing is known about what was written since
    /// the last success: never to be retried.
    virtual Result<void> sync() = 0;
    virtual Result<void> truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() const = 0;
};

/// The seam to the file system: the only place that writes, syncs or renames. Handed down; tests bring one that loses
/// power. Any thread. Errors: disk_full, unreadable (permissions), io_failed; a missing file keeps its system error.
class Disk {
public:
    enum class Mode { read, write, create };  // create: write, and made when it is missing

    Disk() = default;
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    virtual ~Disk() = default;

    virtual Result<std::unique_ptr<File>> open(const Path& path, Mode mode) = 0;
    /// Replaces `to`. Durable after sync_directory() of the directory.
    virtual Result<void> rename(const Path& from, const Path& to) = 0;
    virtual Result<void> remove(const Path& path) = 0;
    /// Fine when it is there already. Readable by its owner alone.
    virtual Result<void> make_directory(const Path& path) = 0;
    virtual Result<void> sync_directory(const Path& path) = 0;
    /// Names of the entries, sorted.
    virtual Result<std::vector<std::string>> list(const Path& directory) = 0;
    virtual Result<bool> exists(const Path& path) = 0;
    /// Held until the returned file ends, also when the process dies. Errors: in_use.
    virtual Result<std::unique_ptr<File>> lock(const Path& path) = 0;
};

/// True for the error that open() and remove() give when there is no such file.
[[nodiscard]] bool is_missing(error_code reason) noexcept;

/// The operating system's files.
class SystemDisk final : public Disk {
public:
    Result<std::unique_ptr<File>> open(const Path& path, Mode mode) override;
    Result<void> rename(const Path& from, const Path& to) override;
    Result<void> remove(const Path& path) override;
    Result<void> make_directory(const Path& path) override;
    Result<void> sync_directory(const Path& path) override;
    Result<std::vector<std::string>> list(const Path& directory) override;
    Result<bool> exists(const Path& path) override;
    Result<std::unique_ptr<File>> lock(const Path& path) override;
};

}  // namespace store
