#include "engine/consumers/body_reader.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "queue/store/segment_bodies.hpp"
#include "tests/support/simulated_disk.hpp"

using consumers::BodyRun;
using consumers::Mail;

namespace {

/// Passes reads on, and counts them.
class CountedBodies final : public store::Bodies {
public:
    explicit CountedBodies(store::Bodies& real) : real_(real) {}
    Result<store::BodyPlace> append(std::string_view body) override { return real_.append(body); }
    Result<store::StreamedBody> open(std::uint64_t bytes) override { return real_.open(bytes); }
    Result<void> write(store::StreamedBody body, std::string_view chunk) override { return real_.write(body, chunk); }
    Result<store::BodyPlace> finish(store::StreamedBody body) override { return real_.finish(body); }
    Result<store::BodyPlace> finish_early(store::StreamedBody body) override { return real_.finish_early(body); }
    void abandon(store::StreamedBody body) noexcept override { real_.abandon(body); }
    Result<void> sync() override { return real_.sync(); }
    void rollback() noexcept override { real_.rollback(); }
    std::vector<std::uint64_t> sealed() const override { return real_.sealed(); }
    void reclaim(const std::vector<std::uint64_t>& segments) override { real_.reclaim(segments); }
    bool short_of_room() const override { return real_.short_of_room(); }
    Usage usage() const override { return real_.usage(); }
    Result<std::string> read(const store::BodyPlace& place, std::uint64_t offset, std::uint64_t bytes) const override {
        ++reads;
        return real_.read(place, offset, bytes);
    }
    Result<std::string> read_range(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes) const override {
        ++reads;
        return real_.read_range(segment, offset, bytes);
    }
    mutable std::size_t reads = 0;

private:
    store::Bodies& real_;
};

struct Bench {
    Bench() {
        REQUIRE(disk.make_directory("/segments").has_value());
        const auto reserve = std::make_shared<store::Reserve>(disk, "/reserve", 0);
        const store::SegmentBodies::Options options{.segment_bytes = 4 << 20};
        auto opened = store::SegmentBodies::open(disk, "/segments", {}, 0, reserve, options);
        REQUIRE(opened.has_value());
        real = std::move(*opened);
        counted = std::make_unique<CountedBodies>(*real);
    }
    void add(std::string body) {
        const auto place = real->append(body);
        REQUIRE(place.has_value());
        Mail mail;
        mail.record.body = *place;
        mail.mailbox = "box";
        mail.bodies = counted.get();
        mails.push_back(mail);
        bodies.push_back(std::move(body));
    }
    SimulatedDisk disk;
    std::unique_ptr<store::SegmentBodies> real;
    std::unique_ptr<CountedBodies> counted;
    std::vector<Mail> mails;
    std::vector<std::string> bodies;
};

void check_each(const Bench& bench) {
    BodyRun run(bench.mails);
    for (std::size_t at = 0; at < bench.mails.size(); ++at) {
        CAPTURE(at);
        const auto body = run.body(at);
        REQUIRE(body.has_value());
        REQUIRE(*body == bench.bodies[at]);
    }
}

}  // namespace

TEST_CASE("bodies that lie side by side are read together, each of them whole", "[consumers]") {
    Bench bench;
    for (std::size_t at = 0; at < 100; ++at) bench.add(std::string(at * 37 % 5000, static_cast<char>('a' + at % 26)));
    REQUIRE(bench.real->sync().has_value());
    check_each(bench);
    CHECK(bench.counted->reads == 1);
}

TEST_CASE("bodies out of order, far apart, or too many bytes for one read are each read right", "[consumers]") {
    Bench bench;
    bench.add(std::string(200'000, 'a'));
    bench.add(std::string(100'000, 'b'));
    bench.add("c");
    bench.add(std::string(1000, 'd'));  // of somebody else
    bench.add("e");
    REQUIRE(bench.real->sync().has_value());
    const auto other = bench.mails.begin() + 3;
    bench.mails.erase(other);
    bench.bodies.erase(bench.bodies.begin() + 3);
    std::swap(bench.mails[0], bench.mails[3]);
    std::swap(bench.bodies[0], bench.bodies[3]);
    check_each(bench);
    CHECK(bench.counted->reads == 3);
}

TEST_CASE("a damaged body among others is noticed, and only it", "[consumers]") {
    Bench bench;
    for (const char* body : {"one", "two", "three"}) bench.add(body);
    REQUIRE(bench.real->sync().has_value());
    bench.mails[1].record.body.crc32c ^= 1;
    BodyRun run(bench.mails);
    CHECK(run.body(0).has_value());
    CHECK(run.body(1).error() == store::errc::damaged);
    CHECK(run.body(2).has_value());
}

TEST_CASE("a body whose neighbour is cut off or lies nowhere is read all the same", "[consumers]") {
    Bench bench;
    for (const char* body : {"one", "two", "three"}) bench.add(body);
    REQUIRE(bench.real->sync().has_value());
    const auto lost = GENERATE(from_range(std::vector<store::BodyPlace>{
        {.segment = 1, .offset = 1'000, .length = 50'000, .crc32c = 0},
        {.segment = 1, .offset = 1'000, .length = UINT64_MAX - 500, .crc32c = 0},
        {.segment = 1, .offset = UINT64_MAX - 2, .length = 5, .crc32c = 0},
    }));
    bench.mails[1].record.body = lost;
    BodyRun run(bench.mails);
    const auto first = run.body(0);
    REQUIRE(first.has_value());
    CHECK(*first == "one");
    CHECK(run.body(1).has_error());
    const auto third = run.body(2);
    REQUIRE(third.has_value());
    CHECK(*third == "three");
}
