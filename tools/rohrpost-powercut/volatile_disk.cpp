#include "tools/rohrpost-powercut/volatile_disk.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <random>

namespace powercut {

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t write_bytes_max = 1U << 20U;
constexpr std::size_t request_bytes_max = write_bytes_max + page_bytes;

Descriptor memory_file() {
    Descriptor file(::memfd_create("powercut", MFD_CLOEXEC));
    must(file.number() >= 0 && ::ftruncate(file.number(), static_cast<off_t>(disk_bytes)) == 0,
         "make a file in memory");
    return file;
}

void put(int file, const char* bytes, std::size_t count, std::uint64_t offset) {
    must(::pwrite(file, bytes, count, static_cast<off_t>(offset)) == static_cast<ssize_t>(count), "write an image");
}

fuse_attr attributes() {
    fuse_attr facts{};
    facts.ino = FUSE_ROOT_ID;
    facts.size = disk_bytes;
    facts.blocks = disk_bytes / 512;
    facts.mode = S_IFREG | S_IRUSR | S_IWUSR;
    facts.nlink = 1;
    facts.blksize = page_bytes;
    return facts;
}

}  // namespace

struct VolatileDisk::Memory {
    Memory() {
        void* got =
            ::mmap(nullptr, disk_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        must(got != MAP_FAILED, "find memory for a disk");
        bytes = static_cast<char*>(got);
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory() { ::munmap(bytes, disk_bytes); }
    void clear() const { ::madvise(bytes, disk_bytes, MADV_DONTNEED); }

    char* bytes = nullptr;
};

struct VolatileDisk::Request {
    fuse_in_header header;
    const char* body = nullptr;
    std::size_t body_bytes = 0;

    template <class T>
    [[nodiscard]] T as() const {
        T value{};
        std::memcpy(&value, body, std::min(sizeof value, body_bytes));
        return value;
    }
};

VolatileDisk::VolatileDisk(std::filesystem::path place)
    : place_(std::move(place)),
      fuse_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)),
      durable_(std::make_unique<Memory>()),
      current_(std::make_unique<Memory>()),
      touched_(disk_bytes / page_bytes, false) {
    must(fuse_.number() >= 0, "open /dev/fuse");
    std::ofstream(place_).close();
    const std::string options =
        "fd=" + std::to_string(fuse_.number()) + ",rootmode=100000,user_id=0,group_id=0,max_read=1048576";
    must(::mount("powercut", place_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0,
         "mount a disk of ours");
    thread_ = std::thread([this] { serve(); });
}

VolatileDisk::~VolatileDisk() {
    ::umount2(place_.c_str(), MNT_DETACH);
    thread_.join();
}

void VolatileDisk::load(const Image& image) {
    const std::lock_guard lock(mutex_);
    durable_->clear();
    current_->clear();
    unflushed_.clear();
    std::fill(touched_.begin(), touched_.end(), false);
    const int file = image->number();
    for (off_t at = ::lseek(file, 0, SEEK_DATA); at >= 0; at = ::lseek(file, at, SEEK_DATA)) {
        const off_t end = ::lseek(file, at, SEEK_HOLE);
        const auto count = static_cast<std::size_t>(end - at);
        must(::pread(file, current_->bytes + at, count, at) == static_cast<ssize_t>(count), "read an image");
        std::memcpy(durable_->bytes + at, current_->bytes + at, count);
        const auto first = static_cast<std::size_t>(at) / page_bytes;
        const auto last = (static_cast<std::size_t>(end) + page_bytes - 1) / page_bytes;
        for (auto page = first; page < last; ++page) touched_[page] = true;
        at = end;
    }
}

Image VolatileDisk::cut(Unflushed unflushed, std::uint64_t seed) const {
    Descriptor file = memory_file();
    const std::lock_guard lock(mutex_);
    for (std::size_t page = 0; page < touched_.size(); ++page)
        if (touched_[page]) put(file.number(), durable_->bytes + page * page_bytes, page_bytes, page * page_bytes);
    if (unflushed != Unflushed::lost) {
        std::mt19937_64 random(seed);
        const double kept = unflushed == Unflushed::kept ? 1.0 : std::uniform_real_distribution<>(0.05, 0.95)(random);
        std::bernoulli_distribution survives(kept);
        for (const Write& each : unflushed_)
            for (std::size_t at = 0; at < each.bytes.size(); at += sector_bytes)
                if (survives(random))
                    put(file.number(), each.bytes.data() + at, std::min(sector_bytes, each.bytes.size() - at),
                        each.offset + at);
    }
    return std::make_shared<const Descriptor>(std::move(file));
}

VolatileDisk::Counts VolatileDisk::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void VolatileDisk::write(std::uint64_t offset, const char* bytes, std::size_t count) {
    const std::lock_guard lock(mutex_);
    std::memcpy(current_->bytes + offset, bytes, count);
    for (auto page = offset / page_bytes; page * page_bytes < offset + count; ++page) touched_[page] = true;
    unflushed_.push_back({offset, std::string(bytes, count)});
    ++counts_.writes;
}

void VolatileDisk::flush() {
    const std::lock_guard lock(mutex_);
    for (const Write& each : unflushed_)
        std::memcpy(durable_->bytes + each.offset, each.bytes.data(), each.bytes.size());
    unflushed_.clear();
    ++counts_.flushes;
}

void VolatileDisk::serve() {
    std::string buffer(request_bytes_max, '\0');
    while (serve_one(buffer)) {
    }
}

void VolatileDisk::answer(const Request& request, int error, const void* bytes, std::size_t count) const {
    fuse_out_header header{};
    header.len = static_cast<std::uint32_t>(sizeof header + count);
    header.error = -error;
    header.unique = request.header.unique;
    const std::array<iovec, 2> parts{{{&header, sizeof header}, {const_cast<void*>(bytes), count}}};
    static_cast<void>(!::writev(fuse_.number(), parts.data(), count == 0 ? 1 : 2));
}

bool VolatileDisk::serve_one(std::string& buffer) {
    const ssize_t got = ::read(fuse_.number(), buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN || errno == ENOENT;
    if (static_cast<std::size_t>(got) < sizeof(fuse_in_header)) return false;
    Request request{};
    std::memcpy(&request.header, buffer.data(), sizeof request.header);
    request.body = buffer.data() + sizeof request.header;
    request.body_bytes = static_cast<std::size_t>(got) - sizeof request.header;
    const auto reply = [&](const auto& value) { answer(request, 0, &value, sizeof value); };
    switch (request.header.opcode) {
        case FUSE_INIT: {
            fuse_init_out facts{};
            facts.major = FUSE_KERNEL_VERSION;
            facts.minor = FUSE_KERNEL_MINOR_VERSION;
            facts.flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES;
            facts.max_background = 64;
            facts.congestion_threshold = 48;
            facts.max_write = write_bytes_max;
            facts.max_pages = write_bytes_max / page_bytes;
            facts.time_gran = 1;
            reply(facts);
            break;
        }
        case FUSE_GETATTR:
        case FUSE_SETATTR: {
            fuse_attr_out facts{};
            facts.attr_valid = 3600;
            facts.attr = attributes();
            reply(facts);
            break;
        }
        case FUSE_OPEN: {
            fuse_open_out facts{};
            facts.open_flags = FOPEN_DIRECT_IO;  // nothing between the loop device and us
            reply(facts);
            break;
        }
        case FUSE_READ: {
            const auto wanted = request.as<fuse_read_in>();
            const auto from = std::min<std::uint64_t>(wanted.offset, disk_bytes);
            const auto count = std::min<std::uint64_t>(wanted.size, disk_bytes - from);
            answer(request, 0, current_->bytes + from, count);  // only this thread and load() write
            break;
        }
        case FUSE_WRITE: {
            const auto what = request.as<fuse_write_in>();
            if (what.offset > disk_bytes || what.size > disk_bytes - what.offset) {
                answer(request, ENOSPC, nullptr, 0);
                break;
            }
            write(what.offset, request.body + sizeof what, what.size);
            fuse_write_out done{};
            done.size = what.size;
            reply(done);
            break;
        }
        case FUSE_FSYNC:
            flush();
            answer(request, 0, nullptr, 0);
            break;
        case FUSE_STATFS:
            reply(fuse_statfs_out{});
            break;
        case FUSE_RELEASE:
        case FUSE_FLUSH:
        case FUSE_DESTROY:
            answer(request, 0, nullptr, 0);
            break;
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
            break;
        default:
            answer(request, ENOSYS, nullptr, 0);
    }
    return true;
}

Image blank_image() { return std::make_shared<const Descriptor>(memory_file()); }

void save(const Image& image, const std::filesystem::path& file) {
    std::filesystem::copy_file("/proc/self/fd/" + std::to_string(image->number()), file,
                               std::filesystem::copy_options::overwrite_existing);
}

}  // namespace powercut
