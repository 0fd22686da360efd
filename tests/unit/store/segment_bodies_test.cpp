#include "queue/store/segment_bodies.hpp"

#include <catch2/catch.hpp>

#include "queue/store/crc32c.hpp"
#include "queue/store/segment_record.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace store;

namespace {

std::unique_ptr<SegmentBodies> bodies_on(SimulatedDisk& disk, std::vector<std::uint64_t> kept = {}) {
    REQUIRE(disk.make_directory("/segments").has_value());
    const auto reserve = std::make_shared<Reserve>(disk, "/reserve", 0);
    const SegmentBodies::Options options{.segment_bytes = 1000, .body_bytes_max = 5000, .spare_files_max = 1};
    auto bodies = SegmentBodies::open(disk, "/segments", std::move(kept), 0, reserve, options);
    REQUIRE(bodies.has_value());
    return std::move(*bodies);
}

BodyPlace kept(SegmentBodies& bodies, std::string_view body) {
    const auto place = bodies.append(body);
    REQUIRE(place.has_value());
    REQUIRE(bodies.sync().has_value());
    return *place;
}

}  // namespace

TEST_CASE("CRC-32C is that of RFC 3720, with and without the instruction, in any pieces", "[store]") {
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
    CHECK(crc32c("123456789") == 0xe3069283);
    std::string bytes;
    for (int at = 0; at < 300; ++at) bytes += static_cast<char>(at * 7);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        const std::string_view all = bytes;
        REQUIRE(crc32c(all.substr(cut), crc32c(all.substr(0, cut))) == crc32c_by_table(all));
    }
    // Long ones are summed in three places at once, in blocks of two sizes.
    std::string longer;
    for (std::uint32_t at = 0; at < 30'000; ++at) longer += static_cast<char>(at * 2654435761U >> 24);
    for (std::size_t length = 0; length <= longer.size(); length += length < 1600 ? 7 : 1009) {
        CAPTURE(length);
        const auto some = std::string_view(longer).substr(length % 5, length);
        REQUIRE(crc32c(some, 17) == crc32c_by_table(some, 17));
    }
}

TEST_CASE("a segment record's header reads as it was written, and no flipped bit or short one does", "[store]") {
    const SegmentRecord record{.segment = 0x1122334455667788, .length = 99, .crc32c = 0xdeadbeef};
    std::string bytes;
    append_header(bytes, record);
    REQUIRE(bytes.size() == SegmentRecord::bytes);
    CHECK(read_header(bytes) == record);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::string flipped = bytes;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        CAPTURE(bit);
        CHECK_FALSE(read_header(flipped).has_value());
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(read_header(bytes.substr(0, size)).has_value());
}

TEST_CASE("bodies of all sizes come back, whole and in parts, and after a restart", "[store]") {
    SimulatedDisk disk;
    std::vector<std::pair<BodyPlace, std::string>> all;
    std::set<std::uint64_t> used;
    {
        const auto bodies = bodies_on(disk);
        for (const std::size_t size : {0, 1, 218, 219, 500, 217, 3000, 100, 100, 100, 100, 100, 100, 5000}) {
            const std::string body(size, static_cast<char>('a' + all.size()));
            all.emplace_back(kept(*bodies, body), body);
            used.insert(all.back().first.segment);
        }
        CHECK(bodies->append(std::string(5001, 'x')).error() == errc::body_too_large);
        CHECK(bodies->open(4294967295).error() == errc::body_too_large);
    }
    disk.power_cut(1);
    const auto bodies = bodies_on(disk, {used.begin(), used.end()});
    for (const auto& [place, body] : all) {
        CHECK(*bodies->read(place, 0, place.length) == body);
        CHECK(*bodies->read(place, 0, UINT64_MAX) == body);
        CHECK(*bodies->read(place, place.length / 2, 7) == body.substr(body.size() / 2, 7));
        CHECK(bodies->read(place, place.length + 1, 1).error() == errc::damaged);
    }
    CHECK(kept(*bodies, "new").segment > *used.rbegin());
}

TEST_CASE("many small bodies are written with one call and one sync", "[store]") {
    SimulatedDisk disk;
    const auto bodies = bodies_on(disk);
    kept(*bodies, "first");
    const auto writes = disk.calls(SimulatedDisk::Call::write);
    const auto syncs = disk.calls(SimulatedDisk::Call::sync);
    for (int at = 0; at < 10; ++at) REQUIRE(bodies->append("small").has_value());
    REQUIRE(bodies->sync().has_value());
    CHECK(disk.calls(SimulatedDisk::Call::write) == writes + 1);
    CHECK(disk.calls(SimulatedDisk::Call::sync) == syncs + 1);
    REQUIRE(bodies->sync().has_value());
    CHECK(disk.calls(SimulatedDisk::Call::sync) == syncs + 1);
}

TEST_CASE("a streamed body must be as long as announced, and others go on beside it", "[store]") {
    SimulatedDisk disk;
    const auto bodies = bodies_on(disk);
    const auto small = bodies->open(10), large = bodies->open(3000), shorter = bodies->open(10);
    REQUIRE(small.has_value());
    REQUIRE(large.has_value());
    const BodyPlace between = kept(*bodies, "between");
    REQUIRE(bodies->write(*small, "12345").has_value());
    REQUIRE(bodies->write(*large, std::string(3000, 'L')).has_value());
    CHECK(bodies->write(*small, "678901").error() == errc::damaged);
    REQUIRE(bodies->write(*small, "67890").has_value());
    CHECK(bodies->finish(*shorter).error() == errc::damaged);
    const auto place = bodies->finish(*small);
    const auto large_place = bodies->finish(*large);
    REQUIRE(bodies->sync().has_value());
    CHECK(*bodies->read(*place, 0, 10) == "1234567890");
    CHECK(*bodies->read(*large_place, 0, 3000) == std::string(3000, 'L'));
    CHECK(*bodies->read(between, 0, 7) == "between");
}

TEST_CASE("an announced size takes no room on the disk, and an open stream keeps its segment", "[store]") {
    SimulatedDisk disk;
    const auto bodies = bodies_on(disk);
    const auto before = disk.used_bytes();
    const auto stream = bodies->open(5000);
    REQUIRE(stream.has_value());
    CHECK(disk.used_bytes() == before);
    CHECK(bodies->sealed().empty());
    bodies->abandon(*stream);
    CHECK(bodies->sealed().size() == 1);
}

TEST_CASE("a reclaimed segment's bodies are gone and its file is used again under a new number", "[store]") {
    SimulatedDisk disk;
    const auto bodies = bodies_on(disk);
    const BodyPlace old = kept(*bodies, std::string(200, 'o'));
    while (kept(*bodies, std::string(200, 'f')).segment == old.segment) continue;
    CHECK(bodies->sealed() == std::vector<std::uint64_t>{old.segment});
    bodies->reclaim({old.segment});
    CHECK(bodies->read(old, 0, 200).error() == errc::body_gone);
    const auto created = disk.calls(SimulatedDisk::Call::create);
    const std::uint64_t current = kept(*bodies, "x").segment;
    while (kept(*bodies, std::string(200, 'n')).segment == current) continue;
    CHECK(disk.calls(SimulatedDisk::Call::create) == created);
    CHECK(disk.calls(SimulatedDisk::Call::rename) == 1);
    CHECK(bodies->read(old, 0, 200).error() == errc::body_gone);
    CHECK(bodies->usage().segments == 2);
}

TEST_CASE("a missing segment reads as damaged, one that is not kept as gone", "[store][hostile-58]") {
    SimulatedDisk disk;
    const auto bodies = bodies_on(disk, {5});
    const BodyPlace place{.segment = 5, .offset = 32, .length = 3};
    CHECK(bodies->read(place, 0, 3).error() == errc::damaged);
    CHECK(bodies->read({.segment = 4, .offset = 32, .length = 3}, 0, 3).error() == errc::body_gone);
}

TEST_CASE("a ledger row that cannot be true reads as damaged and takes no memory", "[store]") {
    SimulatedDisk disk;
    const auto bodies = bodies_on(disk);
    const BodyPlace place = kept(*bodies, "body");
    BodyPlace wrong = place;
    SECTION("longer than any body") { wrong.length = INT64_MAX; }
    SECTION("longer than any body, when a part is asked for") {
        wrong.length = INT64_MAX;
        CHECK(bodies->read(wrong, 7, INT64_MAX).error() == errc::damaged);
    }
    SECTION("behind the end of all files") { wrong.offset = UINT64_MAX - 2; }
    SECTION("a header's place") { wrong.offset = 0; }
    CHECK(bodies->read(wrong, 0, wrong.length).error() == errc::damaged);
    CHECK(*bodies->read(place, 0, place.length) == "body");
}

TEST_CASE("a segment number that cannot be true does not make numbers start over", "[store]") {
    SimulatedDisk disk;
    BodyPlace old;
    {
        const auto bodies = bodies_on(disk);
        old = kept(*bodies, "old");
    }
    REQUIRE(disk.open("/segments/18446744073709551615.seg", Disk::Mode::create).has_value());
    const auto bodies = bodies_on(disk, {old.segment, UINT64_MAX});
    CHECK(kept(*bodies, std::string(900, 'n')).segment == old.segment + 1);
    CHECK(kept(*bodies, std::string(900, 'm')).segment == old.segment + 2);
    CHECK(*bodies->read(old, 0, old.length) == "old");
}
