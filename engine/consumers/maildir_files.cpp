#include "engine/consumers/maildir_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace consumers {

namespace {

error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

Result<void> outcome(int returned) {
    if (returned != 0) return last_error();
    return {};
}

/// A new name must be durable in its parent before anything below it counts as delivered.
Result<void> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0) {
        if (errno == EEXIST) return {};
        return last_error();
    }
    const auto slash = path.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const FileHandle directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() < 0) return last_error();
    return outcome(::fsync(directory.number()));
}

int open_existing(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

FileHandle::~FileHandle() {
    if (number_ >= 0) ::close(number_);
}

Result<FileHandle> PosixMaildirFiles::open_directory(const std::string& path) {
    FileHandle directory(open_existing(path));
    if (directory.number() >= 0) return directory;
    if (errno != ENOENT) return last_error();
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        auto made = make_directory(path.substr(0, slash));
        if (!made) return made.error();
    }
    auto made = make_directory(path);
    if (!made) return made.error();
    FileHandle fresh(open_existing(path));
    if (fresh.number() < 0) return last_error();
    return fresh;
}

Result<std::uint64_t> PosixMaildirFiles::device_of(const FileHandle& directory) {
    struct stat facts {};
    if (::fstat(directory.number(), &facts) != 0) return last_error();
    return facts.st_dev;
}

Result<FileHandle> PosixMaildirFiles::create(const FileHandle& directory, const std::string& name) {
    constexpr int how = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    FileHandle file(::openat(directory.number(), name.c_str(), how, 0600));
    if (file.number() < 0) return last_error();
    return file;
}

Result<void> PosixMaildirFiles::write(const FileHandle& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(file.number(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return last_error();
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> PosixMaildirFiles::sync_file(const FileHandle& file) { return outcome(::fdatasync(file.number())); }

// Not fdatasync: a name that fits into the directory's present blocks is no "data" to it (ext4).
Result<void> PosixMaildirFiles::sync_directory(const FileHandle& directory) {
    return outcome(::fsync(directory.number()));
}

Result<void> PosixMaildirFiles::sync_file_system(const FileHandle& directory) {
    return outcome(::syncfs(directory.number()));
}

Result<void> PosixMaildirFiles::rename(const FileHandle& from, const FileHandle& to, const std::string& name) {
    return outcome(::renameat(from.number(), name.c_str(), to.number(), name.c_str()));
}

Result<void> PosixMaildirFiles::remove(const FileHandle& directory, const std::string& name) {
    return outcome(::unlinkat(directory.number(), name.c_str(), 0));
}

Result<std::chrono::system_clock::time_point> PosixMaildirFiles::modified_at(const FileHandle& directory,
                                                                             const std::string& name) {
    struct stat facts {};
    if (::fstatat(directory.number(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return last_error();
    return std::chrono::system_clock::from_time_t(facts.st_mtime);
}

Result<void> PosixMaildirFiles::list(const FileHandle& directory, const Visit& visit) {
    // A descriptor of its own, as the position in the directory belongs to it.
    const int again = ::openat(directory.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0) return last_error();
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(again), ::closedir);
    if (!stream) {
        const auto reason = last_error();
        ::close(again);
        return reason;
    }
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) break;
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") visit(name);
    }
    if (errno != 0) return last_error();
    return {};
}

}  // namespace consumers
