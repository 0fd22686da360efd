#include <catch2/catch.hpp>

#include "protocols/net/errc.hpp"
#include "protocols/net/reach.hpp"

namespace {

bool is_public(const char* text) { return net::is_public(asio::ip::make_address(text)); }

}  // namespace

TEST_CASE("addresses that not everybody may have are not public, however they are written", "[net]") {
    for (const auto* text : {"0.0.0.0",
                             "10.0.0.1",
                             "10.255.255.255",
                             "100.64.0.1",
                             "100.127.255.255",
                             "127.0.0.1",
                             "127.255.0.9",
                             "169.254.169.254",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.0.0.8",
                             "192.0.2.1",
                             "192.168.1.1",
                             "198.18.0.1",
                             "198.19.255.255",
                             "198.51.100.7",
                             "203.0.113.9",
                             "224.0.0.1",
                             "240.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.1.2.3",
                             "::127.0.0.1",
                             "fe80::1",
                             "fec0::1",
                             "fc00::1",
                             "fd12:3456::1",
                             "ff02::1",
                             "2001::1",
                             "2001:db8::1",
                             "3fff::1",
                             "64:ff9b::10.0.0.1",
                             "64:ff9b:1::1",
                             "2002:a00:1::",
                             "2002:7f00:1::1",
                             "100::1",
                             "5f00::1"}) {
        CAPTURE(text);
        CHECK_FALSE(is_public(text));
    }
    for (const auto* text :
         {"1.1.1.1",         "9.255.255.255",     "11.0.0.0",           "100.63.255.255",   "100.128.0.0",
          "126.255.255.255", "128.0.0.1",         "172.15.255.255",     "172.32.0.0",       "191.255.255.255",
          "198.17.255.255",  "198.20.0.0",        "223.255.255.255",    "40.99.4.2",        "::ffff:40.99.4.2",
          "2603:1026::1",    "2a00:1450:4001::1", "64:ff9b::40.99.4.2", "2002:2863:402::1", "2001:4860:4860::8888"}) {
        CAPTURE(text);
        CHECK(is_public(text));
    }
}

TEST_CASE("a reach admits what is public and the networks it names", "[net]") {
    net::Reach reach;
    const auto admits = [&](const char* text) { return reach.admits(asio::ip::make_address(text)); };
    CHECK(admits("40.99.4.2"));
    CHECK_FALSE(admits("10.1.2.3"));
    for (const auto* network : {"10.1.0.0/16", "127.0.0.1", "fd00:1::/32"}) REQUIRE(reach.allow(network));
    CHECK(admits("10.1.2.3"));
    CHECK(admits("::ffff:10.1.2.3"));
    CHECK_FALSE(admits("10.2.0.0"));
    CHECK(admits("127.0.0.1"));
    CHECK_FALSE(admits("127.0.0.2"));
    CHECK_FALSE(admits("::1"));
    CHECK(admits("fd00:1:2::3"));
    CHECK_FALSE(admits("fd00:2::3"));
    for (const auto* network : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1", "fd00::1/8",
                                "fd00::/129", "10.0.0.0/8/8", "example.org", "10.0.0.0/8 "}) {
        CAPTURE(network);
        CHECK(reach.allow(network).error() == net::errc::network_malformed);
    }
    REQUIRE(reach.allow("0.0.0.0/0"));
    CHECK(admits("192.168.0.1"));
}
