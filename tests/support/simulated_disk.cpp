#include "tests/support/simulated_disk.hpp"

#include <algorithm>
#include <cerrno>

using store::errc;
using store::File;
using store::Path;

namespace {

error_code missing() { return {ENOENT, boost::system::system_category()}; }

}  // namespace

class SimulatedDisk::Handle final : public File {
public:
    Handle(SimulatedDisk& disk, std::shared_ptr<Node> node, std::string locked)
        : disk_(disk), node_(std::move(node)), locked_(std::move(locked)), power_cuts_(disk.power_cuts_) {}
    ~Handle() override {
        if (!is_dead() && !locked_.empty()) disk_.locked_.erase(locked_);
    }

    Result<std::size_t> read(std::span<char> into, std::uint64_t offset) const override {
        if (is_dead() || disk_.stopped()) return errc::io_failed;
        if (offset >= node_->now.size()) return std::size_t{0};
        return node_->now.copy(into.data(), into.size(), offset);
    }
    Result<void> write(std::string_view bytes, std::uint64_t offset) override {
        const std::uint64_t end = offset + bytes.size();
        const std::uint64_t growth = end > node_->now.size() ? end - node_->now.size() : 0;
        return change(Call::write, {Change::Kind::write, offset, std::string(bytes)}, growth);
    }
    Result<void> truncate(std::uint64_t size) override {
        return change(Call::truncate, {Change::Kind::truncate, size, {}}, 0);
    }
    Result<void> sync() override {
        if (is_dead()) return errc::io_failed;
        const auto counted = disk_.count(Call::sync);
        if (counted) {
            for (const auto& change : node_->unsynced) apply(node_->durable, change, change.bytes.size());
        }
        // A kernel forgets the pages of a failed sync: the next one succeeds without them.
        if (!disk_.stopped()) node_->unsynced.clear();
        return counted;
    }
    Result<std::uint64_t> size() const override {
        if (is_dead() || disk_.stopped()) return errc::io_failed;
        return node_->now.size();
    }

private:
    [[nodiscard]] bool is_dead() const { return power_cuts_ != disk_.power_cuts_; }

    Result<void> change(Call call, Change change, std::uint64_t growth) {
        if (is_dead()) return errc::io_failed;
        const auto counted = disk_.count(call);
        if (!counted) return counted.error();
        if (growth > 0 && disk_.used_bytes() + growth > disk_.room_bytes_max_) return errc::disk_full;
        apply(node_->now, change, change.bytes.size());
        keep_in_sectors(std::move(change));
        return {};
    }
    /// A disk keeps sectors, not writes: of a long write it may keep any.
    void keep_in_sectors(Change change) {
        constexpr std::uint64_t sector_bytes = 4096;
        while (change.offset % sector_bytes + change.bytes.size() > sector_bytes) {
            const auto head = sector_bytes - change.offset % sector_bytes;
            node_->unsynced.push_back({change.kind, change.offset, change.bytes.substr(0, head)});
            change.bytes.erase(0, head);
            change.offset += head;
        }
        node_->unsynced.push_back(std::move(change));
    }

    SimulatedDisk& disk_;
    std::shared_ptr<Node> node_;
    std::string locked_;
    std::uint64_t power_cuts_;
};

void SimulatedDisk::apply(std::string& bytes, const Change& change, std::size_t kept) {
    if (change.kind == Change::Kind::truncate) {
        bytes.resize(change.offset);
        return;
    }
    if (bytes.size() < change.offset + kept) bytes.resize(change.offset + kept);
    std::copy_n(change.bytes.begin(), kept, bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void SimulatedDisk::power_cut(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (auto& [directory, changes] : unsynced_entries_) {
        const std::size_t kept = random() % (changes.size() + 1);
        for (std::size_t at = 0; at < kept; ++at) make_durable(changes[at]);
    }
    unsynced_entries_.clear();
    now_ = durable_;
    for (auto& [path, node] : now_) {
        if (!node) continue;
        for (const auto& change : node->unsynced) {
            const auto fate = random() % 3;
            if (fate == 0) continue;
            if (fate == 1 && change.bytes.empty()) continue;
            apply(node->durable, change, fate == 1 ? random() % change.bytes.size() : change.bytes.size());
        }
        node->unsynced.clear();
        node->now = node->durable;
    }
    process_ends();
}

void SimulatedDisk::process_ends() {
    locked_.clear();
    failures_.clear();
    stop_at_ = 0;
    ++power_cuts_;
}

void SimulatedDisk::fail_at(Call call, std::uint64_t number, errc reason) {
    failures_.push_back({call, calls(call) + number, reason});
}

Result<void> SimulatedDisk::count(Call call) {
    ++calls_;
    const std::uint64_t number = ++counted_[call];
    if (stopped()) return errc::io_failed;
    for (const auto& failure : failures_) {
        if (failure.call == call && failure.at == number) return failure.reason;
    }
    return {};
}

std::uint64_t SimulatedDisk::used_bytes() const {
    std::uint64_t used = 0;
    for (const auto& [path, node] : now_) used += node ? node->now.size() : 0;
    return used;
}

std::uint64_t SimulatedDisk::unsynced_bytes(const Path& path) const {
    const auto found = now_.find(path.string());
    if (found == now_.end() || !found->second) return 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // a byte that was written twice counts once
    for (const auto& change : found->second->unsynced) {
        ranges.emplace_back(change.offset, change.offset + change.bytes.size());
    }
    std::sort(ranges.begin(), ranges.end());
    std::uint64_t bytes = 0;
    std::uint64_t end = 0;
    for (const auto& [from, to] : ranges) {
        bytes += to > std::max(from, end) ? to - std::max(from, end) : 0;
        end = std::max(end, to);
    }
    return bytes;
}

std::vector<std::string> SimulatedDisk::files() const {
    std::vector<std::string> paths;
    for (const auto& [path, node] : now_) {
        if (node) paths.push_back(path);
    }
    return paths;
}

std::string* SimulatedDisk::contents(const Path& path) {
    const auto found = now_.find(path.string());
    return found == now_.end() ? nullptr : &found->second->now;
}

void SimulatedDisk::set_entry(const Path& path, std::shared_ptr<Node> node, const std::string& came_from) {
    now_[path.string()] = node;
    unsynced_entries_[path.parent_path().string()].push_back({path.string(), true, std::move(node), came_from});
}

void SimulatedDisk::make_durable(const EntryChange& change) {
    if (!change.came_from.empty()) durable_.erase(change.came_from);
    if (change.is_there) {
        durable_[change.path] = change.node;
    } else {
        durable_.erase(change.path);
    }
}

void SimulatedDisk::drop_entry(const Path& path) {
    now_.erase(path.string());
    unsynced_entries_[path.parent_path().string()].push_back({path.string(), false, nullptr, {}});
}

Result<std::unique_ptr<File>> SimulatedDisk::open(const Path& path, Mode mode) {
    if (stopped()) return errc::io_failed;
    if (!now_.contains(path.string())) {
        if (mode != Mode::create) return missing();
        const auto counted = count(Call::create);
        if (!counted) return counted.error();
        set_entry(path, std::make_shared<Node>());
    }
    return std::unique_ptr<File>(std::make_unique<Handle>(*this, now_.at(path.string()), std::string()));
}

Result<void> SimulatedDisk::rename(const Path& from, const Path& to) {
    const auto counted = count(Call::rename);
    if (!counted) return counted.error();
    const auto found = now_.find(from.string());
    if (found == now_.end()) return missing();
    const auto node = found->second;
    // One step, also when the power goes: the new name comes with the end of the old one.
    now_.erase(from.string());
    set_entry(to, node, from.string());
    return {};
}

Result<void> SimulatedDisk::remove(const Path& path) {
    const auto counted = count(Call::remove);
    if (!counted) return counted.error();
    if (!now_.contains(path.string())) return missing();
    drop_entry(path);
    return {};
}

Result<void> SimulatedDisk::make_directory(const Path& path) {
    const auto counted = count(Call::make_directory);
    if (!counted) return counted.error();
    if (!now_.contains(path.string())) {
        now_[path.string()] = nullptr;
        durable_[path.string()] = nullptr;
    }
    return {};
}

Result<void> SimulatedDisk::sync_directory(const Path& path) {
    const auto counted = count(Call::sync_directory);
    if (!counted) return counted.error();
    for (const auto& change : unsynced_entries_[path.string()]) make_durable(change);
    unsynced_entries_.erase(path.string());
    return {};
}

Result<std::vector<std::string>> SimulatedDisk::list(const Path& directory) {
    if (stopped()) return errc::io_failed;
    std::vector<std::string> names;
    for (const auto& [path, node] : now_) {
        if (Path(path).parent_path() == directory) names.push_back(Path(path).filename().string());
    }
    return names;
}

Result<bool> SimulatedDisk::exists(const Path& path) {
    if (stopped()) return {boost::system::in_place_error, make_error_code(errc::io_failed)};
    return now_.contains(path.string());
}

Result<std::unique_ptr<File>> SimulatedDisk::lock(const Path& path) {
    if (locked_.contains(path.string())) return errc::in_use;
    auto opened = open(path, Mode::create);
    if (!opened) return opened.error();
    locked_.insert(path.string());
    return std::unique_ptr<File>(std::make_unique<Handle>(*this, now_.at(path.string()), path.string()));
}
