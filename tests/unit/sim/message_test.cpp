#include "tools/rohrpost-sim/message.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "protocols/base/text.hpp"

using sim::mark_of;
using sim::message_of;

TEST_CASE("sim message: has exactly the size that was asked for, and only CRLF line ends of legal length", "[sim]") {
    const std::string address = "box0001@sim.test";
    std::vector<std::size_t> sizes{4096, 40'960, 1'048'576};
    for (std::size_t size = sim::message_bytes_min; size < sim::message_bytes_min + 160; ++size) sizes.push_back(size);
    for (const std::size_t size : sizes) {
        const std::string message = message_of(address, 7, size);
        CAPTURE(size);
        REQUIRE(message.size() == size);
        REQUIRE(message.ends_with("\r\n"));
        std::size_t line = 0;
        bool good = true;
        for (std::size_t at = 0; at < message.size(); ++at) {
            const bool cr = message[at] == '\r';
            const bool lf = message[at] == '\n';
            good = good && cr == (at + 1 < message.size() && message[at + 1] == '\n');
            good = good && (!lf || message[at - 1] == '\r') && static_cast<unsigned char>(message[at]) < 0x80;
            line = lf ? 0 : line + 1;
            good = good && line <= 998;
        }
        REQUIRE(good);
    }
}

TEST_CASE("sim message: carries the fields of a mail", "[sim]") {
    const std::string message = message_of("box0042@sim.test", 1441, 4096);
    CHECK(message.find("\r\nTo: box0042@sim.test\r\n") != std::string::npos);
    CHECK(message.find("\r\nDate: Fri, 02 Jan 2026 00:01:00 +0000\r\n") != std::string::npos);
    CHECK(message.find("\r\nMessage-ID: <1441.box0042@sim.test>\r\n") != std::string::npos);
    const std::string body = message.substr(message.find("\r\n\r\n") + 4);
    CHECK(message.find("\r\nX-Sim: box0042@sim.test 1441 " + sim::sha256_hex(body) + "\r\n") != std::string::npos);
}

TEST_CASE("sim message: is the same each time and like no other", "[sim]") {
    std::set<std::string> bodies;
    for (std::uint32_t number = 1; number <= 50; ++number)
        for (const char* address : {"box0001@sim.test", "box0002@sim.test"}) {
            const std::string message = message_of(address, number, 2000);
            CHECK(message == message_of(address, number, 2000));
            bodies.insert(message.substr(message.find("\r\n\r\n")));
        }
    CHECK(bodies.size() == 100);
}

TEST_CASE("sim message: a mark is found only when every byte is right", "[sim]") {
    const std::string message = message_of("box0001@sim.test", 9, 700);
    const auto mark = mark_of(message);
    REQUIRE(mark);
    CHECK(mark->mailbox == "box0001@sim.test");
    CHECK(mark->number == 9);
    for (std::size_t at = 0; at < message.size(); ++at) {
        std::string changed = message;
        changed[at] ^= 1;
        if (mark_of(changed)) FAIL("a change at " << at << " was not seen");
    }
    CHECK_FALSE(mark_of(message.substr(0, message.size() - 1)));
    CHECK_FALSE(mark_of(message + "x"));
    CHECK_FALSE(mark_of(""));
    CHECK_FALSE(mark_of("X-Sim: a 1 b\r\n\r\n"));
}

TEST_CASE("sim message: mixed sizes come in the promised shares", "[sim]") {
    const sim::Sizes sizes{0};
    std::map<std::size_t, int> seen;
    for (std::uint32_t number = 1; number <= 10'000; ++number) ++seen[sizes.of("box0001@sim.test", number)];
    CHECK(seen.size() == 3);
    CHECK(seen[4096] == Approx(7000).margin(300));
    CHECK(seen[40'960] == Approx(2500).margin(300));
    CHECK(seen[1'048'576] == Approx(500).margin(150));
}
