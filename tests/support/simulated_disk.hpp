#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "queue/store/file.hpp"

/// A disk in memory that keeps apart what is synced and what is not. Calls that change something are counted; one of
/// them can fail, or be the last before the power goes. One thread.
class SimulatedDisk final : public store::Disk {
public:
    enum class Call { write, sync, truncate, rename, remove, make_directory, sync_directory, create };

    /// The power goes: handles die; of what was not synced each write is kept, torn or lost, and of each directory's
    /// changes the first few are kept, as `seed` will have it. Then the disk can be used again.
    void power_cut(std::uint64_t seed);
    /// The `number`-th changing call from now on (1 is the next) and all after it fail: the process is as good as dead.
    void stop_at(std::uint64_t number) { stop_at_ = calls_ + number; }
    /// Every changing call from now on fails.
    void stop() { stop_at_ = std::max<std::uint64_t>(calls_, 1); }
    /// The process ends, the machine goes on: handles die, everything written stays, and is synced no more than before.
    void process_ends();
    /// The `number`-th call of this kind from now on fails, once. A failed sync loses what it should have kept.
    void fail_at(Call call, std::uint64_t number, store::errc reason);
    /// No failure is planned any more.
    void be_well() {
        failures_.clear();
        stop_at_ = 0;
    }
    /// Writes fail with disk_full once the files together would be larger.
    void set_room(std::uint64_t bytes_max) { room_bytes_max_ = bytes_max; }

    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }
    [[nodiscard]] std::uint64_t calls(Call call) const { return counted_.contains(call) ? counted_.at(call) : 0; }
    [[nodiscard]] bool stopped() const noexcept { return stop_at_ != 0 && calls_ >= stop_at_; }
    [[nodiscard]] std::uint64_t used_bytes() const;
    /// So many bytes of this file are not yet safe.
    [[nodiscard]] std::uint64_t unsynced_bytes(const store::Path& path) const;
    [[nodiscard]] std::vector<std::string> files() const;
    /// The bytes of a file as they are read now, to be changed behind the store's back; nullptr when it is missing.
    std::string* contents(const store::Path& path);

    Result<std::unique_ptr<store::File>> open(const store::Path& path, Mode mode) override;
    Result<void> rename(const store::Path& from, const store::Path& to) override;
    Result<void> remove(const store::Path& path) override;
    Result<void> make_directory(const store::Path& path) override;
    Result<void> sync_directory(const store::Path& path) override;
    Result<std::vector<std::string>> list(const store::Path& directory) override;
    Result<bool> exists(const store::Path& path) override;
    Result<std::unique_ptr<store::File>> lock(const store::Path& path) override;

private:
    class Handle;
    struct Change {
        enum class Kind { write, truncate } kind = Kind::write;
        std::uint64_t offset = 0;  // or the new size
        std::string bytes;
    };
    struct Node {
        std::string now;
        std::string durable;
        std::vector<Change> unsynced;
    };
    using Entries = std::map<std::string, std::shared_ptr<Node>>;  // by path; a directory has no node
    struct EntryChange {
        std::string path;
        bool is_there = false;
        std::shared_ptr<Node> node;
        std::string came_from;  // renamed: that name ends in the same step
    };

    Result<void> count(Call call);
    void set_entry(const store::Path& path, std::shared_ptr<Node> node, const std::string& came_from = {});
    void make_durable(const EntryChange& change);
    void drop_entry(const store::Path& path);
    static void apply(std::string& bytes, const Change& change, std::size_t kept);

    Entries now_, durable_;
    std::map<std::string, std::vector<EntryChange>> unsynced_entries_;  // by directory
    std::set<std::string> locked_;
    std::uint64_t power_cuts_ = 0;
    std::uint64_t calls_ = 0;
    std::uint64_t stop_at_ = 0;
    std::map<Call, std::uint64_t> counted_;
    struct Failure {
        Call call = Call::write;
        std::uint64_t at = 0;
        store::errc reason = store::errc::io_failed;
    };
    std::vector<Failure> failures_;
    std::uint64_t room_bytes_max_ = UINT64_MAX;
};
