// The parts without sockets: buffers, pace, proxy URLs, order of addresses, words of errors.
#include <catch2/catch.hpp>

#include <set>

#include "protocols/net/errc.hpp"
#include "protocols/net/happy_eyeballs.hpp"
#include "protocols/net/unread.hpp"
#include "protocols/net/watchdog.hpp"
#include "tests/support/hand_clock.hpp"

namespace {

using support::HandClock;

using namespace std::chrono_literals;

struct Watched {
    HandClock clock;
    Timers timers{clock};
    int barks = 0;
    net::Watchdog watchdog{timers, [](void* owner) { ++static_cast<Watched*>(owner)->barks; }, this};

    void pass(std::chrono::milliseconds span) {
        clock.pass(span);
        timers.advance(clock.now());
    }
};

void receive(net::Unread& unread, std::string_view bytes) {
    const auto room = unread.room(bytes.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    unread.filled(bytes.size());
}

std::vector<asio::ip::address> addresses(const std::vector<std::string>& texts) {
    std::vector<asio::ip::address> out;
    for (const auto& text : texts) out.push_back(asio::ip::make_address(text));
    return out;
}

}  // namespace

TEST_CASE("unread bytes stay in order over any mix of receiving, consuming and waiting", "[net]") {
    net::BufferPool pool;
    net::Unread unread(pool);
    std::string expected;
    std::uint32_t seed = 7;
    for (int step = 0; step < 3000; ++step) {
        seed = seed * 1664525U + 1013904223U;
        const std::size_t amount = (seed >> 8U) % 9000;
        if (seed % 5 == 0) {
            unread.settle();
        } else if (seed % 2 == 0) {
            const std::string bytes(amount, static_cast<char>('a' + step % 26));
            receive(unread, bytes);
            expected += bytes;
        } else {
            const std::size_t taken = std::min(amount * 2, expected.size());
            unread.consume(taken);
            expected.erase(0, taken);
        }
        REQUIRE(unread.view() == expected);
    }
}

TEST_CASE("an empty stream gives its buffer back, a short tail keeps its own size", "[net]") {
    net::BufferPool pool;
    net::Unread unread(pool);
    receive(unread, "* OK\r\n* 23 EX");
    CHECK(pool.free() == 0);
    unread.consume(6);
    unread.settle();
    CHECK(pool.free() == 1);
    CHECK(unread.view() == "* 23 EX");
    receive(unread, "ISTS\r\n");
    CHECK(pool.free() == 0);
    CHECK(unread.view() == "* 23 EXISTS\r\n");
    unread.consume(13);
    CHECK(pool.free() == 1);
}

TEST_CASE("the pool keeps a bounded number of free buffers", "[net]") {
    net::BufferPool pool(2);
    std::vector<net::Buffer> taken;
    for (int i = 0; i < 5; ++i) taken.push_back(pool.take());
    for (auto& buffer : taken) pool.give(std::move(buffer));
    CHECK(pool.free() == 2);
    pool.give(net::Buffer::of(100));
    CHECK(pool.free() == 2);
}

TEST_CASE("a step must end within its time", "[net]") {
    Watched watched;
    CHECK_FALSE(watched.watchdog.over());
    watched.watchdog.allow({.within = 10s});
    watched.pass(9s);
    watched.watchdog.moved(100000);
    CHECK(watched.barks == 0);
    watched.pass(1s);
    CHECK(watched.barks == 1);
    CHECK(watched.watchdog.over());
    CHECK(watched.watchdog.verdict() == net::errc::timed_out);
}

TEST_CASE("each step moves the due time, later or earlier", "[net]") {
    Watched watched;
    watched.watchdog.allow({.within = 10s});
    watched.pass(9s);
    watched.watchdog.allow({.within = 10s});
    watched.pass(9s);
    CHECK(watched.barks == 0);
    watched.watchdog.allow({.within = 500ms});
    watched.pass(500ms);
    CHECK(watched.barks == 1);
}

TEST_CASE("bytes at the least rate keep a step alive, a byte a minute does not", "[net][hostile-9]") {
    const net::Pace pace{.within = 30s, .bytes_per_second_min = 1000};
    Watched steady;
    steady.watchdog.allow(pace);
    for (int second = 0; second < 3600; ++second) {
        steady.watchdog.moved(1000);
        steady.pass(1s);
    }
    CHECK(steady.barks == 0);
    steady.pass(31s);  // a long good time earns no credit beyond the grace
    CHECK(steady.barks == 1);
    CHECK(steady.watchdog.verdict() == net::errc::too_slow);

    Watched dribble;
    dribble.watchdog.allow(pace);
    for (int i = 0; i < 40 && dribble.barks == 0; ++i) {
        dribble.watchdog.moved(1);
        dribble.pass(1s);
    }
    CHECK(dribble.barks == 1);

    Watched silent;
    silent.watchdog.allow(pace);
    silent.pass(31s);
    CHECK(silent.watchdog.verdict() == net::errc::timed_out);
}

TEST_CASE("proxy URLs are read or refused", "[net]") {
    const auto http = net::read_proxy("http://proxy.example:3128");
    REQUIRE(http.has_value());
    CHECK(http->kind == net::Proxy::Kind::http_connect);
    CHECK(http->host == "proxy.example");
    CHECK(http->port == 3128);
    CHECK(http->user.empty());
    const auto socks = net::read_proxy("socks5://us%40er:p%3Aw@[2001:db8::1]:1080/");
    REQUIRE(socks.has_value());
    CHECK(socks->kind == net::Proxy::Kind::socks5);
    CHECK(socks->host == "2001:db8::1");
    CHECK(socks->user == "us@er");
    CHECK(socks->password.reveal() == "p:w");
    for (const auto* refused : {"", "proxy:3128", "https://proxy:3128", "http://proxy", "http://:3128",
                                "http://proxy:0", "http://proxy:65536", "http://proxy:12x", "http://@proxy:1",
                                "http://u%4:p@proxy:1", "http://proxy:1/path", "socks4://proxy:1"}) {
        CAPTURE(refused);
        CHECK(net::read_proxy(refused).error() == net::errc::proxy_url_malformed);
    }
}

TEST_CASE("the address families take turns", "[net]") {
    const auto mixed = addresses({"2001:db8::1", "2001:db8::2", "192.0.2.1", "2001:db8::3", "192.0.2.2"});
    CHECK(net::in_order(mixed, net::Family::any) ==
          addresses({"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"}));
    CHECK(net::in_order(mixed, net::Family::ipv4) == addresses({"192.0.2.1", "192.0.2.2"}));
    CHECK(net::in_order(mixed, net::Family::ipv6) == addresses({"2001:db8::1", "2001:db8::2", "2001:db8::3"}));
    CHECK(net::in_order({}, net::Family::any).empty());
}

TEST_CASE("every network error has words of its own", "[net]") {
    std::set<std::string> words;
    for (int code = 1; code <= static_cast<int>(net::errc::proxy_url_malformed); ++code) {
        const std::string text = net::category().message(code);
        CHECK(text != "unknown network error");
        CHECK(words.insert(text).second);
    }
}
