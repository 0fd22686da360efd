#include "bench/counting_disk.hpp"

namespace bench {
namespace {

class CountingFile final : public store::File {
public:
    CountingFile(std::unique_ptr<store::File> file, CountingDisk::Counts& counts)
        : file_(std::move(file)), counts_(counts) {}

    Result<std::size_t> read(std::span<char> into, std::uint64_t offset) const override {
        ++counts_.reads;
        return file_->read(into, offset);
    }
    Result<void> write(std::string_view bytes, std::uint64_t offset) override {
        ++counts_.writes;
        counts_.written_bytes += bytes.size();
        return file_->write(bytes, offset);
    }
    Result<void> sync() override {
        ++counts_.syncs;
        return file_->sync();
    }
    Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<std::uint64_t> size() const override { return file_->size(); }

private:
    std::unique_ptr<store::File> file_;
    CountingDisk::Counts& counts_;
};

}  // namespace

Result<std::unique_ptr<store::File>> CountingDisk::open(const store::Path& path, Mode mode) {
    auto file = system_.open(path, mode);
    if (!file) return file.error();
    return std::unique_ptr<store::File>(std::make_unique<CountingFile>(std::move(*file), counts_));
}

Result<void> CountingDisk::sync_directory(const store::Path& path) {
    ++counts_.syncs;
    return system_.sync_directory(path);
}

}  // namespace bench
