#pragma once

#include <atomic>
#include <cstdint>

#include "queue/store/file.hpp"

namespace bench {

/// The operating system's files, with their calls counted.
class CountingDisk final : public store::Disk {
public:
    struct Counts {
        std::atomic<std::uint64_t> reads{0}, writes{0}, written_bytes{0}, syncs{0};
    };
    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

    Result<std::unique_ptr<store::File>> open(const store::Path& path, Mode mode) override;
    Result<void> rename(const store::Path& from, const store::Path& to) override { return system_.rename(from, to); }
    Result<void> remove(const store::Path& path) override { return system_.remove(path); }
    Result<void> make_directory(const store::Path& path) override { return system_.make_directory(path); }
    Result<void> sync_directory(const store::Path& path) override;
    Result<std::vector<std::string>> list(const store::Path& path) override { return system_.list(path); }
    Result<bool> exists(const store::Path& path) override { return system_.exists(path); }
    Result<std::unique_ptr<store::File>> lock(const store::Path& path) override { return system_.lock(path); }

private:
    store::SystemDisk system_;
    Counts counts_;
};

}  // namespace bench
