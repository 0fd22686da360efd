#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"

namespace consumers {

/// An open file or directory; closes it.
class FileHandle {
public:
    FileHandle() = default;
    explicit FileHandle(int number) noexcept : number_(number) {}
    FileHandle(FileHandle&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    FileHandle& operator=(FileHandle&& other) noexcept;
    ~FileHandle();

    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_ = -1;
};

/// The file calls of a Maildir, so that a test can fail each of them. Errors are those of the system. Blocking.
class MaildirFiles {
public:
    virtual ~MaildirFiles() = default;

    /// Opens a directory; makes it and its parents with mode 0700 when missing.
    virtual Result<FileHandle> open_directory(const std::string& path) = 0;
    /// Names the file system that it is on.
    virtual Result<std::uint64_t> device_of(const FileHandle& directory) = 0;
    /// Creates or empties a file with mode 0600.
    virtual Result<FileHandle> create(const FileHandle& directory, const std::string& name) = 0;
    virtual Result<void> write(const FileHandle& file, std::string_view bytes) = 0;
    /// The file's bytes are durable.
    virtual Result<void> sync_file(const FileHandle& file) = 0;
    /// The directory's names are durable.
    virtual Result<void> sync_directory(const FileHandle& directory) = 0;
    /// Everything written to the file system that `directory` is on is durable.
    virtual Result<void> sync_file_system(const FileHandle& directory) = 0;
    /// Atomic; replaces a file of that name.
    virtual Result<void> rename(const FileHandle& from, const FileHandle& to, const std::string& name) = 0;
    virtual Result<void> remove(const FileHandle& directory, const std::string& name) = 0;
    virtual Result<std::chrono::system_clock::time_point> modified_at(const FileHandle& directory,
                                                                      const std::string& name) = 0;
    /// Every name in the directory except `.` and `..`, in no order.
    using Visit = std::function<void(std::string_view name)>;
    virtual Result<void> list(const FileHandle& directory, const Visit& visit) = 0;
};

/// The real ones: the only place of the consumers that touches the file system.
class PosixMaildirFiles final : public MaildirFiles {
public:
    Result<FileHandle> open_directory(const std::string& path) override;
    Result<std::uint64_t> device_of(const FileHandle& directory) override;
    Result<FileHandle> create(const FileHandle& directory, const std::string& name) override;
    Result<void> write(const FileHandle& file, std::string_view bytes) override;
    Result<void> sync_file(const FileHandle& file) override;
    Result<void> sync_directory(const FileHandle& directory) override;
    Result<void> sync_file_system(const FileHandle& directory) override;
    Result<void> rename(const FileHandle& from, const FileHandle& to, const std::string& name) override;
    Result<void> remove(const FileHandle& directory, const std::string& name) override;
    Result<std::chrono::system_clock::time_point> modified_at(const FileHandle& directory,
                                                              const std::string& name) override;
    Result<void> list(const FileHandle& directory, const Visit& visit) override;
};

}  // namespace consumers
