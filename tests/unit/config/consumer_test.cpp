#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "engine/config/documents.hpp"
#include "engine/config/lmtp_place.hpp"

using namespace config;
using namespace std::chrono_literals;

TEST_CASE("config: an LMTP server's place is a host with a port, or a socket", "[config][lmtp]") {
    struct Case {
        std::string address, host;
        std::uint16_t port;
        bool here;
    };
    const Case cases[] = {{"lda.example:24", "lda.example", 24, false},
                          {"127.0.0.1:24", "127.0.0.1", 24, true},
                          {"[::1]:24", "::1", 24, true},
                          {"localhost:2424", "localhost", 2424, true},
                          {"[2001:db8::1]:24", "2001:db8::1", 24, false},
                          {"unix:/run/lmtp", "/run/lmtp", 0, true},
                          {"/run/dovecot/lmtp", "/run/dovecot/lmtp", 0, true}};
    for (const auto& one : cases) {
        CAPTURE(one.address);
        const auto place = lmtp_place_of(one.address);
        REQUIRE(place.has_value());
        CHECK(place->host == one.host);
        CHECK(place->port == one.port);
        CHECK(place->on_this_machine() == one.here);
    }
    for (const std::string bad :
         {"", "lda.example", "lda.example:", "lda.example:0", "lda.example:65536", ":24", "unix:", "unix:run/lmtp",
          "unix:lda.example:24", "::1:24", "a b:24", "a/b:24", "127.0.0.1.evil.test:x"}) {
        CAPTURE(bad);
        CHECK_FALSE(lmtp_place_of(bad).has_value());
    }
    CHECK_FALSE(lmtp_place_of("127.0.0.1.evil.test:24")->on_this_machine());
    CHECK_FALSE(lmtp_place_of("/" + std::string(200, 'x')).has_value());
}

TEST_CASE("config: consumers of every kind come back from the store as they went in", "[config]") {
    for (
        const std::string document :
        {R"({"id":"a","kind":"lmtp","address":"unix:/run/lmtp","recipient":"{mailbox}@x.example","ca_file":"/x.pem","connections":8,"attempts":3})",
         R"({"id":"a","kind":"webhook","url":"https://app.example/mail","format":"raw","ca_file":"/x.pem","timeout":"90000ms","connections":2})",
         R"({"id":"a","kind":"command","program":["/bin/x","-a","-a",""],"timeout":"5000ms"})",
         R"({"id":"a","kind":"webhook","url":"https://app.example/mail"})"}) {
        CAPTURE(document);
        const auto consumer = from_document<Consumer>(document);
        REQUIRE(consumer.has_value());
        CHECK(to_document(*consumer) == document);
    }
    const auto plain = from_document<Consumer>(R"({"id":"a","kind":"lmtp","address":"127.0.0.1:24"})");
    REQUIRE(plain.has_value());
    CHECK(plain->recipient == "{address}");
    CHECK(plain->connections == 4);
    CHECK(plain->attempts == 20);
    CHECK_FALSE(plain->timeout.has_value());
}

TEST_CASE("config: what a consumer's kind has no use for, and what makes no sense, is refused with its place",
          "[config]") {
    struct Case {
        std::string document, fault;
    };
    const Case cases[] = {
        {R"({"id":"a","kind":"lmtp","address":"127.0.0.1:24","format":"raw"})",
         R"(c.format: kind "lmtp" has no "format" (kind "webhook" has); leave it out)"},
        {R"({"id":"a","kind":"lmtp"})", R"(c.address: missing, kind "lmtp" needs it)"},
        {R"({"id":"a","kind":"lmtp","address":"lda"})",
         R"(c.address: found "lda", expected HOST:PORT, or unix: and the absolute path of a socket)"},
        {R"({"id":"a","kind":"command"})", R"(c.program: missing, kind "command" needs it)"},
        {R"({"id":"a","kind":"command","program":["x"]})",
         R"(c.program: found "x", expected an absolute path; no shell looks for it)"},
        {R"({"id":"a","kind":"command","program":"/bin/x -a"})",
         R"(c.program: found "/bin/x -a", expected a list like)"},
        {R"({"id":"a","kind":"command","program":["/bin/x"],"timeout":"2h"})", R"(c.timeout: found "2h")"},
        {R"({"id":"a","kind":"webhook","url":"https://a.example/","connections":0})",
         "c.connections: found the number 0, expected a whole number from 1 to 64"},
    };
    for (const auto& one : cases) {
        CAPTURE(one.document);
        Faults faults;
        Consumer into;
        const auto object = boost::json::parse(one.document).as_object();
        read_object(object, "c", nullptr, faults, into);
        REQUIRE(faults.list().size() == 1);
        CHECK_THAT(faults.list().front().path + ": " + faults.list().front().what, Catch::StartsWith(one.fault));
    }
}
