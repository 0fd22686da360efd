#include <catch2/catch.hpp>

#include "tests/fault/store_world.hpp"

using store::errc;
using Call = SimulatedDisk::Call;

namespace {

constexpr std::size_t rounds = 12;

std::uint64_t calls_of_a_day() {
    SimulatedDisk disk;
    StoreWorld world(disk);
    REQUIRE(world.open());
    REQUIRE(world.work(rounds));
    return disk.calls();
}

}  // namespace

TEST_CASE("a power cut at any call loses nothing that was acknowledged and doubles nothing",
          "[store][hostile-55][hostile-60]") {
    const std::uint64_t calls = calls_of_a_day();
    CAPTURE(calls);
    REQUIRE(calls > 100);
    std::size_t promised = 0;
    for (std::uint64_t at = 1; at <= calls + 1; ++at) {
        CAPTURE(at);
        SimulatedDisk disk;
        StoreWorld world(disk);
        disk.stop_at(at);
        if (world.open()) world.work(rounds);
        world.close();
        disk.power_cut(at);
        REQUIRE(world.open());
        world.check();
        promised = std::max(promised, world.promised());
        // Life goes on, and the next cut comes after it.
        REQUIRE(world.work(3));
        world.close();
        disk.power_cut(at + 1);
        REQUIRE(world.open());
        world.check();
    }
    CHECK(promised > rounds);
}

TEST_CASE("a power cut at any call of a recovery is recovered from", "[store][hostile-55][hostile-59][hostile-60]") {
    const std::uint64_t calls = calls_of_a_day();
    for (std::uint64_t cut = calls / 3; cut <= calls; cut += calls / 3) {
        bool recovered = false;
        for (std::uint64_t at = 1; !recovered; ++at) {
            CAPTURE(cut, at);
            SimulatedDisk disk;
            StoreWorld world(disk);
            disk.stop_at(cut);
            if (world.open()) world.work(rounds);
            world.close();
            disk.power_cut(cut);
            disk.stop_at(at);
            recovered = world.open() && !disk.stopped();
            world.close();
            disk.power_cut(at);
            REQUIRE(world.open());
            world.check();
        }
    }
}

TEST_CASE("a sync that fails once stops the store and is never tried again", "[store][hostile-56][hostile-62]") {
    SimulatedDisk measured;
    StoreWorld day(measured);
    REQUIRE(day.open());
    const auto syncs_before = measured.calls(Call::sync);
    REQUIRE(day.work(rounds));
    const auto syncs = measured.calls(Call::sync) - syncs_before;
    for (std::uint64_t at = 1; at <= syncs; ++at) {
        CAPTURE(at);
        SimulatedDisk disk;
        StoreWorld world(disk);
        REQUIRE(world.open());
        const auto before = disk.calls(Call::sync);
        disk.fail_at(Call::sync, at, errc::io_failed);
        CHECK_FALSE(world.work(rounds));
        CHECK(world.committer().stats().stopped_by == errc::io_failed);
        CHECK(disk.calls(Call::sync) == before + at);
        const auto writes = disk.calls(Call::write);
        CHECK_FALSE(world.work(1));
        CHECK(disk.calls(Call::write) == writes);
        world.close();
        disk.power_cut(at);
        REQUIRE(world.open());
        world.check();
    }
}

TEST_CASE("what a failed sync left in memory alone is made durable before a new start builds on it", "[store]") {
    store::OpenOptions options;
    options.reserve_bytes = 4096;
    const auto keep = [](store::OpenedStore& opened, std::string_view name) {
        return opened.store->begin() && opened.store->put_meta(name, "kept") && opened.store->commit();
    };
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        CAPTURE(seed);
        SimulatedDisk disk;
        {
            auto opened = store::open_store(disk, "/data", options);
            REQUIRE(opened.has_value());
            REQUIRE(keep(*opened, "before"));
            disk.fail_at(Call::sync, 1, errc::io_failed);
            CHECK_FALSE(keep(*opened, "failed"));
        }
        // The machine goes on: everything written can be read, and what the sync lost never reaches the disk by itself.
        disk.process_ends();
        {
            auto opened = store::open_store(disk, "/data", options);
            REQUIRE(opened.has_value());
            REQUIRE(keep(*opened, "after"));
        }
        disk.power_cut(seed);
        const auto opened = store::open_store(disk, "/data", options);
        REQUIRE(opened.has_value());
        for (const std::string_view name : {"before", "after"}) {
            CAPTURE(name);
            const auto found = opened->store->meta(name);
            REQUIRE(found.has_value());
            CHECK(found->has_value());
        }
    }
}

TEST_CASE("a disk that is full at any write refuses the group, and the store goes on when there is room",
          "[store][hostile-57]") {
    SimulatedDisk measured;
    StoreWorld day(measured);
    REQUIRE(day.open());
    const auto writes_before = measured.calls(Call::write);
    REQUIRE(day.work(rounds));
    const auto writes = measured.calls(Call::write) - writes_before;
    for (std::uint64_t at = 1; at <= writes; ++at) {
        CAPTURE(at);
        SimulatedDisk disk;
        StoreWorld world(disk);
        REQUIRE(world.open());
        disk.fail_at(Call::write, at, errc::disk_full);
        world.work(rounds);
        CHECK_FALSE(world.committer().stats().stopped_by);
        world.check();
        world.close();
        disk.power_cut(at);
        REQUIRE(world.open());
        world.check();
        REQUIRE(world.work(3));
        world.check();
    }
}

TEST_CASE("on a full disk acknowledgements still get through, and intake resumes without a restart",
          "[store][hostile-57]") {
    SimulatedDisk disk;
    StoreWorld world(disk);
    REQUIRE(world.open());
    REQUIRE(world.work(4));
    disk.set_room(disk.used_bytes() + 3000);
    CHECK_FALSE(world.work(6));
    const auto stats = world.committer().stats();
    CHECK(stats.disk_full);
    CHECK_FALSE(stats.stopped_by);
    world.check();
    disk.set_room(UINT64_MAX);
    REQUIRE(world.work(4));
    world.check();
    CHECK_FALSE(world.committer().stats().disk_full);
}

TEST_CASE("a flipped bit in a segment damages the one record it hit", "[store][hostile-58]") {
    SimulatedDisk disk;
    StoreWorld world(disk);
    REQUIRE(world.open());
    REQUIRE(world.work(2));
    world.close();
    std::string* bytes = disk.contents("/data/segments/0000000000000001.seg");
    REQUIRE(bytes != nullptr);
    (*bytes)[40] = static_cast<char>((*bytes)[40] ^ 4);
    REQUIRE(world.open());
    world.allow_damaged(1);
    world.check();
    CHECK(world.damaged() == 1);
}

TEST_CASE("whatever call fails once, and with whatever reason: whoever asked hears of it, and no promise is broken",
          "[store][hostile-57][hostile-62]") {
    const auto call = GENERATE(Call::create, Call::write, Call::sync, Call::truncate, Call::rename, Call::remove,
                               Call::make_directory, Call::sync_directory);
    const auto reason = GENERATE(errc::disk_full, errc::io_failed);  // disk_full: no room, or no inode
    SimulatedDisk measured;
    StoreWorld day(measured);
    REQUIRE(day.open());
    REQUIRE(day.work(rounds));
    const auto calls = measured.calls(call);
    std::size_t refused = 0;
    for (std::uint64_t at = 1; at <= calls; ++at) {
        CAPTURE(static_cast<int>(call), reason, at);
        SimulatedDisk disk;
        StoreWorld world(disk);
        disk.fail_at(call, at, reason);
        bool fine = world.open();
        const bool opened = fine;
        if (opened) fine = world.work(rounds);
        if (!fine) ++refused;
        if (opened && !world.committer().stats().stopped_by) {
            world.check();
            // No restart is needed once the disk works again.
            REQUIRE(world.work(3));
            world.check();
        }
        if (!opened) CHECK_FALSE(world.failure().sentence.empty());
        world.close();
        disk.power_cut(at);
        REQUIRE(world.open());
        world.check();
        REQUIRE(world.work(3));
        world.check();
    }
    if (call == Call::write || call == Call::sync || call == Call::create) CHECK(refused > 0);
}

TEST_CASE("segments that were cut off or deleted damage their own records alone", "[store][hostile-58]") {
    const bool deleted = GENERATE(false, true);
    CAPTURE(deleted);
    SimulatedDisk disk;
    StoreWorld world(disk);
    REQUIRE(world.open());
    REQUIRE(world.work(3));
    const auto before = world.promised();
    world.close();
    const store::Path segment = "/data/segments/0000000000000001.seg";
    std::string* bytes = disk.contents(segment);
    REQUIRE(bytes != nullptr);
    if (deleted) {
        REQUIRE(disk.remove(segment));
    } else {
        bytes->resize(bytes->size() / 2);
    }
    REQUIRE(world.open());
    CHECK_FALSE(world.findings().empty());
    world.allow_damaged(before);
    world.check();
    CHECK(world.damaged() > 0);
    if (!deleted) CHECK(world.damaged() < before);
    REQUIRE(world.work(6));
}

TEST_CASE("zeros or old bytes behind the end of what was written mean nothing, also to a recovery that dies twice",
          "[store][hostile-59]") {
    const char filler = GENERATE('\0', 'x');
    for (std::uint64_t at = 1; at < 60; ++at) {
        CAPTURE(filler, at);
        SimulatedDisk disk;
        StoreWorld world(disk);
        REQUIRE(world.open());
        REQUIRE(world.work(rounds));
        world.close();
        std::size_t grown = 0;
        for (const char* file : {"/data/ledger.db-wal", "/data/segments/0000000000000001.seg",
                                 "/data/segments/0000000000000002.seg", "/data/segments/0000000000000003.seg",
                                 "/data/segments/0000000000000004.seg", "/data/segments/0000000000000005.seg"}) {
            std::string* bytes = disk.contents(file);
            if (bytes == nullptr) continue;
            bytes->append(20'000, filler);
            ++grown;
        }
        REQUIRE(grown >= 2);
        for (const std::uint64_t death : {at, at / 2 + 1}) {
            disk.stop_at(death);
            if (world.open()) world.work(1);
            world.close();
        }
        disk.stop_at(UINT64_MAX / 2);
        REQUIRE(world.open());
        world.check();
        REQUIRE(world.work(3));
        world.check();
    }
}
