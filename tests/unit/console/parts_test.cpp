// What the console is made of: limits on guessing, sessions, cookies, markup, and the name of a services server.

#include <catch2/catch.hpp>

#include "engine/console/attempts.hpp"
#include "engine/console/console.hpp"
#include "engine/console/cookies.hpp"
#include "engine/console/html.hpp"
#include "engine/console/pages.hpp"
#include "engine/console/remote_api.hpp"
#include "engine/console/sessions.hpp"
#include "tests/support/hand_clock.hpp"

using namespace console;
using support::HandClock;
using support::SeededRandom;
using namespace std::chrono_literals;

TEST_CASE("attempts: a peer that guesses is turned away for the rest of the minute, others are not",
          "[console][hostile-54]") {
    HandClock clock;
    Attempts attempts(clock, {.of_peer = 3, .of_all = 100, .peers_max = 10});
    for (int at = 0; at < 3; ++at) {
        CHECK_FALSE(attempts.must_wait("192.0.2.1"));
        attempts.failed("192.0.2.1");
    }
    CHECK(attempts.must_wait("192.0.2.1") == 60s);
    CHECK_FALSE(attempts.must_wait("192.0.2.2"));
    clock.passed += 50s;
    CHECK(attempts.must_wait("192.0.2.1") == 10s);
    clock.passed += 10s;
    CHECK_FALSE(attempts.must_wait("192.0.2.1"));
}

TEST_CASE("attempts: many peers that guess are stopped together, and who got in before goes on",
          "[console][hostile-54]") {
    HandClock clock;
    Attempts attempts(clock, {.of_peer = 3, .of_all = 5, .peers_max = 10});
    attempts.succeeded("192.0.2.200");
    for (int at = 0; at < 5; ++at) attempts.failed("192.0.2." + std::to_string(at));
    CHECK(attempts.must_wait("192.0.2.100"));
    CHECK(attempts.must_wait(""));
    CHECK_FALSE(attempts.must_wait("192.0.2.200"));
    clock.passed += 25h;  // it is a stranger again
    attempts.failed("");
    for (int at = 0; at < 5; ++at) attempts.failed("192.0.2." + std::to_string(at));
    CHECK(attempts.must_wait("192.0.2.200"));
}

TEST_CASE("attempts: what is not known of a peer counts in all, memory is bounded", "[console][hostile-54]") {
    HandClock clock;
    Attempts attempts(clock, {.of_peer = 3, .of_all = 50, .peers_max = 10});
    for (int at = 0; at < 49; ++at) attempts.failed("10.0.0." + std::to_string(at));
    CHECK_FALSE(attempts.must_wait("10.0.0.99"));
    attempts.failed("10.0.0.99");
    CHECK(attempts.must_wait("10.0.0.99"));
    CHECK(peer_key("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(peer_key("192.0.2.1") == "192.0.2.1");
    CHECK(peer_key("unix") == "unix");
}

TEST_CASE("sessions: they end idle, by age, with their token, and by log-out, ids are never given from outside",
          "[console][hostile-54]") {
    HandClock clock;
    SeededRandom random;
    Sessions sessions(clock, random);
    const auto id = sessions.begin(1);
    CHECK(id.size() == 43);
    REQUIRE(sessions.find(id, 1));
    CHECK_FALSE(sessions.find("chosen by somebody else", 1));
    CHECK_FALSE(sessions.find("", 1));
    CHECK(sessions.find(id, 1)->csrf != id);
    clock.passed += Sessions::idle_max;
    CHECK(sessions.find(id, 1));
    clock.passed += Sessions::idle_max + 1s;
    CHECK_FALSE(sessions.find(id, 1));

    const auto busy = sessions.begin(1);
    for (auto age = 0min; age <= Sessions::age_max; age += 20min) {
        CHECK(sessions.find(busy, 1));
        clock.passed += 20min;
    }
    CHECK_FALSE(sessions.find(busy, 1));

    const auto old = sessions.begin(1);
    CHECK_FALSE(sessions.find(old, 2));
    const auto out = sessions.begin(2);
    sessions.end(out);
    CHECK_FALSE(sessions.find(out, 2));
}

TEST_CASE("sessions: their number is bounded, the one that was used least lately makes room", "[console]") {
    HandClock clock;
    SeededRandom random;
    Sessions sessions(clock, random);
    const auto first = sessions.begin(1), second = sessions.begin(1);
    clock.passed += 1s;
    for (std::size_t at = 2; at < Sessions::sessions_max; ++at) sessions.begin(1);
    clock.passed += 1s;
    CHECK(sessions.find(first, 1));
    sessions.begin(1);
    CHECK(sessions.size() == Sessions::sessions_max);
    CHECK(sessions.find(first, 1));
    CHECK_FALSE(sessions.find(second, 1));
}

TEST_CASE("cookies: under https they are secure and belong to this host alone", "[console][hostile-54]") {
    const Cookies secure(Cookies::Scheme::https), plain(Cookies::Scheme::http);
    CHECK(secure.set("session", "abc", SameSite::strict, 60s).second ==
          "__Host-rohrpost-session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
    CHECK(plain.set("sign-in", "abc", SameSite::lax, 0s).second ==
          "rohrpost-sign-in=abc; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    http::Request request;
    request.headers = {{"Cookie", "other=1; rohrpost-session=weak; __Host-rohrpost-session=strong"}};
    CHECK(secure.value(request, "session") == "strong");
    CHECK(plain.value(request, "session") == "weak");
    CHECK(secure.value(request, "sign-in").empty());
    request.headers.push_back({"cookie", "__Host-rohrpost-session=another"});
    CHECK(secure.value(request, "session").empty());
}

TEST_CASE("markup: whatever is put in is text, unless it is markup already", "[console][hostile-53]") {
    const Html inner = html("<b>{}</b>", "<script>alert('1')</script>");
    CHECK(inner.markup == "<b>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</b>");
    CHECK(html("<p title=\"{}\">{} {}</p>", "\" onload=\"x", inner, 7).markup ==
          "<p title=\"&quot; onload=&quot;x\">" + inner.markup + " 7</p>");
}

TEST_CASE("a log-in leads to a page of this console and nowhere else", "[console][hostile-44]") {
    CHECK(path_after_login("/credentials/desk") == "/credentials/desk");
    CHECK(path_after_login("/credentials/a%20b") == "/credentials/a%20b");
    for (const auto* wanted :
         {"", "/", "//evil.test", "https://evil.test/credentials/x", "/credentials/", "/credentials/../../x",
          "/credentials/x?next=//evil.test", "/credentials/x\r\nSet-Cookie: a=b", "/\\evil.test", "/credentials//evil",
          "/logout", "credentials/x"}) {
        CAPTURE(wanted);
        CHECK(path_after_login(wanted) == "/");
    }
}

TEST_CASE("a services server is named by https, or by http on this machine", "[console]") {
    const auto server = read_services_url("https://services.test:8025/");
    REQUIRE(server);
    CHECK(server->host == "services.test");
    CHECK(server->port == 8025);
    CHECK(server->authority == "services.test:8025");
    CHECK(server->tls);
    CHECK(read_services_url("https://services.test")->port == 443);
    CHECK(read_services_url("http://localhost")->port == 80);
    CHECK(read_services_url("http://127.0.0.1:8025")->port == 8025);
    CHECK_FALSE(read_services_url("http://127.0.0.1:8025")->tls);
    for (const auto* wrong : {"", "services.test", "http://services.test:8025", "http://127.0.0.1.evil.test",
                              "https://a@services.test", "https://services.test/v1", "ftp://services.test"}) {
        CAPTURE(wrong);
        CHECK_FALSE(read_services_url(wrong));
    }
}

TEST_CASE("times are shown without what nobody reads", "[console]") {
    CHECK(short_time("2026-01-31T12:00:59.123Z") == "2026-01-31 12:00 UTC");
    CHECK(short_time("soon") == "soon");
    CHECK(short_time("").empty());
}
