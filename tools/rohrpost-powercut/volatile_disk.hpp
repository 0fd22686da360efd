#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tools/rohrpost-powercut/descriptor.hpp"

namespace powercut {

constexpr std::uint64_t disk_bytes = 320ULL << 20U;  // xfs wants 300 MB
constexpr std::size_t sector_bytes = 4096;           // written as a whole or not at all, as by the drives of today

/// What lay on a disk, as a sparse file in memory.
using Image = std::shared_ptr<const Descriptor>;

/// What becomes of the sectors that were written since the last flush when the power fails.
enum class Unflushed { lost, kept, some };

/// A disk with a write cache that loses its contents with the power. It is one file of a FUSE file system of our own,
/// meant to lie under a loop device: each write of the file system above it arrives here as one, each flush as an
/// fsync. Only a flush makes writes durable. Served by a thread of its own; the rest may be called by any thread.
class VolatileDisk {
public:
    /// Mounts itself over the file `place`, which it makes. Throws std::runtime_error without /dev/fuse or rights.
    explicit VolatileDisk(std::filesystem::path place);
    VolatileDisk(const VolatileDisk&) = delete;
    VolatileDisk& operator=(const VolatileDisk&) = delete;
    ~VolatileDisk();

    [[nodiscard]] const std::filesystem::path& place() const noexcept { return place_; }
    /// Replaces everything that is on it.
    void load(const Image& image);
    /// What a power cut would leave at this moment. `seed` picks which sectors survive when only some do.
    [[nodiscard]] Image cut(Unflushed unflushed, std::uint64_t seed) const;

    struct Counts {
        std::uint64_t writes = 0, flushes = 0;
    };
    [[nodiscard]] Counts counts() const;

private:
    struct Write {
        std::uint64_t offset = 0;
        std::string bytes;
    };
    struct Memory;
    struct Request;

    void serve();
    /// False: the mount is gone.
    bool serve_one(std::string& buffer);
    void answer(const Request& request, int error, const void* bytes, std::size_t count) const;
    void write(std::uint64_t offset, const char* bytes, std::size_t count);
    void flush();

    std::filesystem::path place_;
    Descriptor fuse_;
    mutable std::mutex mutex_;
    std::unique_ptr<Memory> durable_, current_;
    std::vector<bool> touched_;  // pages that may hold something else than zeros
    std::vector<Write> unflushed_;
    Counts counts_;
    std::thread thread_;
};

/// An empty image.
Image blank_image();
/// Copies the image to an ordinary file.
void save(const Image& image, const std::filesystem::path& file);

}  // namespace powercut
