#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "engine/consumers/body_reader.hpp"
#include "engine/consumers/maildir.hpp"
#include "engine/consumers/maildir_files.hpp"
#include "queue/store/crc32c.hpp"

namespace consumers_test {

namespace fs = std::filesystem;

/// A directory that ends with the test.
class Folder {
public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "rohrpost-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
    fs::path path_;
};

inline std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

inline std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    if (!fs::exists(directory)) return names;
    for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

/// Bodies in memory. Any thread reads once all is put.
class MemoryBodies final : public store::Bodies {
public:
    store::BodyPlace put(std::string body) {
        store::BodyPlace place;
        place.segment = 1 + bodies_.size();
        place.length = body.size();
        place.crc32c = store::crc32c(body);
        bodies_[place.segment] = std::move(body);
        return place;
    }
    void damage(std::uint64_t segment) { bodies_[segment].back() ^= 1; }

    Result<store::BodyPlace> append(std::string_view body) override { return put(std::string(body)); }
    Result<store::StreamedBody> open(std::uint64_t) override { return store::errc::closed; }
    Result<void> write(store::StreamedBody, std::string_view) override { return store::errc::closed; }
    Result<store::BodyPlace> finish(store::StreamedBody) override { return store::errc::closed; }
    Result<store::BodyPlace> finish_early(store::StreamedBody) override { return store::errc::closed; }
    void abandon(store::StreamedBody) noexcept override {}
    Result<void> sync() override { return {}; }
    void rollback() noexcept override {}
    std::vector<std::uint64_t> sealed() const override { return {}; }
    void reclaim(const std::vector<std::uint64_t>&) override {}
    bool short_of_room() const override { return false; }
    Usage usage() const override { return {}; }
    Result<std::string> read(const store::BodyPlace& place, std::uint64_t offset, std::uint64_t bytes) const override {
        largest_read = std::max(largest_read, bytes);
        const auto found = bodies_.find(place.segment);
        if (found == bodies_.end()) return store::errc::body_gone;
        auto piece = found->second.substr(offset, bytes);
        if (piece.size() == place.length && store::crc32c(piece) != place.crc32c) return store::errc::damaged;
        return piece;
    }
    /// A segment holds one body here: each call reads from one.
    Result<std::string> read_range(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes) const override {
        largest_read = std::max(largest_read, bytes);
        const auto found = bodies_.find(segment);
        if (found == bodies_.end()) return store::errc::body_gone;
        if (offset + bytes > found->second.size()) return store::errc::damaged;
        return found->second.substr(offset, bytes);
    }
    mutable std::uint64_t largest_read = 0;

private:
    std::map<std::uint64_t, std::string> bodies_;
};

/// The real file calls, of which one fails: `full` once, or as a crash does: nothing happens from there on.
class FailingFiles final : public consumers::MaildirFiles {
public:
    enum class How { never, once, crash };
    struct Fault {
        How how = How::never;
        std::size_t at = 0;
    };
    void set(Fault fault) {
        fault_ = fault;
        calls_.clear();
    }
    [[nodiscard]] const std::vector<std::string>& calls() const { return calls_; }
    [[nodiscard]] std::size_t count(std::string_view call) const {
        std::size_t found = 0;
        for (const auto& made : calls_) found += made.starts_with(call) ? 1U : 0U;
        return found;
    }

    Result<consumers::FileHandle> open_directory(const std::string& path) override {
        if (fails("open " + path)) return full();
        return real_.open_directory(path);
    }
    Result<std::uint64_t> device_of(const consumers::FileHandle& directory) override {
        if (fails("device_of")) return full();
        return real_.device_of(directory);
    }
    Result<consumers::FileHandle> create(const consumers::FileHandle& directory, const std::string& name) override {
        if (fails("create " + name)) return full();
        return real_.create(directory, name);
    }
    Result<void> write(const consumers::FileHandle& file, std::string_view bytes) override {
        if (!fails("write")) return real_.write(file, bytes);
        (void)real_.write(file, bytes.substr(0, bytes.size() / 2));
        return full();
    }
    Result<void> sync_file(const consumers::FileHandle& file) override {
        if (fails("sync_file")) return full();
        return real_.sync_file(file);
    }
    Result<void> sync_directory(const consumers::FileHandle& directory) override {
        if (fails("sync_directory")) return full();
        return real_.sync_directory(directory);
    }
    Result<void> sync_file_system(const consumers::FileHandle& directory) override {
        if (fails("sync_file_system")) return full();
        return real_.sync_file_system(directory);
    }
    Result<void> rename(const consumers::FileHandle& from, const consumers::FileHandle& to,
                        const std::string& name) override {
        if (fails("rename " + name)) return full();
        return real_.rename(from, to, name);
    }
    Result<void> remove(const consumers::FileHandle& directory, const std::string& name) override {
        if (fails("remove " + name)) return full();
        return real_.remove(directory, name);
    }
    Result<std::chrono::system_clock::time_point> modified_at(const consumers::FileHandle& directory,
                                                              const std::string& name) override {
        if (fails("modified_at " + name)) return full();
        return real_.modified_at(directory, name);
    }
    Result<void> list(const consumers::FileHandle& directory, const Visit& visit) override {
        if (fails("list")) return full();
        return real_.list(directory, visit);
    }

private:
    static error_code full() { return {ENOSPC, boost::system::system_category()}; }
    bool fails(std::string call) {
        calls_.push_back(std::move(call));
        if (fault_.how == How::once) return calls_.size() == fault_.at + 1;
        return fault_.how == How::crash && calls_.size() > fault_.at;
    }

    consumers::PosixMaildirFiles real_;
    Fault fault_;
    std::vector<std::string> calls_;
};

}  // namespace consumers_test
