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

TEST_CASE("a power cut at any call loses nothing that was acknowledged and doubles nothing", "[store]") {
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

TEST_CASE("a power cut at any call of a recovery is recovered from", "[store]") {
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

TEST_CASE("a sync that fails once stops the store and is never tried again", "[store]") {
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
        disk.fail_at(Call::sync, at, errc::io_failed);
        CHECK_FALSE(world.work(rounds));
        // The machine goes on: everything written can be read, and what the sync lost never reaches the disk by itself.
        world.close();
        disk.process_ends();
        REQUIRE(world.open());
        world.check();
        REQUIRE(world.work(2));
        world.close();
        disk.power_cut(at);
        REQUIRE(world.open());
        world.check();
    }
}

TEST_CASE("a disk that is full at any write refuses the group, and the store goes on when there is room", "[store]") {
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

TEST_CASE("on a full disk acknowledgements still get through, and intake resumes without a restart", "[store]") {
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

TEST_CASE("a flipped bit in a segment damages the one record it hit", "[store]") {
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
