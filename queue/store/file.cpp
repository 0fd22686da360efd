#include "queue/store/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace store {
namespace {

error_code reason_of(int number) {
    switch (number) {
        case ENOSPC:
        case EDQUOT:
            return errc::disk_full;
        case EACCES:
        case EPERM:
        case EROFS:
            return errc::unreadable;
        case ENOENT:
            return error_code(ENOENT, boost::system::system_category());
        default:
            return errc::io_failed;
    }
}

Result<void> done_unless(int returned) {
    if (returned != 0) return reason_of(errno);
    return {};
}

class SystemFile final : public File {
public:
    explicit SystemFile(int descriptor) noexcept : descriptor_(descriptor) {}
    ~SystemFile() override { ::close(descriptor_); }

    Result<std::size_t> read(std::span<char> into, std::uint64_t offset) const override {
        std::size_t have = 0;
        while (have < into.size()) {
            const auto got =
                ::pread(descriptor_, into.data() + have, into.size() - have, static_cast<off_t>(offset + have));
            if (got == 0) break;
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return reason_of(errno);
            have += static_cast<std::size_t>(got);
        }
        return have;
    }

    Result<void> write(std::string_view bytes, std::uint64_t offset) override {
        while (!bytes.empty()) {
            const auto put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) return reason_of(errno);
            if (put == 0) return errc::io_failed;
            bytes.remove_prefix(static_cast<std::size_t>(put));
            offset += static_cast<std::uint64_t>(put);
        }
        return {};
    }

    Result<void> sync() override { return done_unless(::fdatasync(descriptor_)); }
    Result<void> truncate(std::uint64_t size) override {
        return done_unless(::ftruncate(descriptor_, static_cast<off_t>(size)));
    }
    Result<std::uint64_t> size() const override {
        struct stat facts {};
        if (::fstat(descriptor_, &facts) != 0) return reason_of(errno);
        return static_cast<std::uint64_t>(facts.st_size);
    }

private:
    int descriptor_;
};

constexpr mode_t owner_only = 0600;

Result<int> open_descriptor(const Path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, owner_only);
    if (descriptor < 0) return reason_of(errno);
    return descriptor;
}

}  // namespace

bool is_missing(error_code reason) noexcept { return reason == error_code(ENOENT, boost::system::system_category()); }

Result<std::unique_ptr<File>> SystemDisk::open(const Path& path, Mode mode) {
    const int flags = mode == Mode::read ? O_RDONLY : mode == Mode::write ? O_RDWR : O_RDWR | O_CREAT;
    const auto descriptor = open_descriptor(path, flags);
    if (!descriptor) return descriptor.error();
    return std::unique_ptr<File>(std::make_unique<SystemFile>(*descriptor));
}

Result<void> SystemDisk::rename(const Path& from, const Path& to) {
    return done_unless(::rename(from.c_str(), to.c_str()));
}

Result<void> SystemDisk::remove(const Path& path) { return done_unless(::unlink(path.c_str())); }

Result<void> SystemDisk::make_directory(const Path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return reason_of(errno);
    return {};
}

Result<void> SystemDisk::sync_directory(const Path& path) {
    const auto descriptor = open_descriptor(path, O_RDONLY | O_DIRECTORY);
    if (!descriptor) return descriptor.error();
    const auto synced = done_unless(::fsync(*descriptor));
    ::close(*descriptor);
    return synced;
}

Result<std::vector<std::string>> SystemDisk::list(const Path& directory) {
    std::error_code reason;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(directory, reason);
    for (; !reason && entry != std::filesystem::directory_iterator(); entry.increment(reason)) {
        names.push_back(entry->path().filename().string());
    }
    if (reason) return reason_of(reason.value());
    std::sort(names.begin(), names.end());
    return names;
}

Result<bool> SystemDisk::exists(const Path& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0) return true;
    if (errno == ENOENT) return false;
    return {boost::system::in_place_error, reason_of(errno)};
}

Result<std::unique_ptr<File>> SystemDisk::lock(const Path& path) {
    const auto descriptor = open_descriptor(path, O_RDWR | O_CREAT);
    if (!descriptor) return descriptor.error();
    auto file = std::make_unique<SystemFile>(*descriptor);
    if (::flock(*descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return errc::in_use;
        return reason_of(errno);
    }
    return std::unique_ptr<File>(std::move(file));
}

}  // namespace store
