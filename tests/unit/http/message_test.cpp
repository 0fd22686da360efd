#include <catch2/catch.hpp>

#include "protocols/http/errc.hpp"
#include "protocols/http/message.hpp"
#include "protocols/http/url.hpp"

TEST_CASE("a target is decoded into path and query", "[http]") {
    const auto target = http::read_target("/v1/mail%20boxes/a%2Bb?state=idle&q=a+b%26c&state=second&flag");
    REQUIRE(target.has_value());
    CHECK(target->path == "/v1/mail boxes/a+b");
    CHECK(target->query.at("state") == "idle");
    CHECK(target->query.at("q") == "a b&c");
    CHECK(target->query.at("flag").empty());
    CHECK(http::read_target("http://console.example:8025/status?x=1")->path == "/status");
    CHECK(http::read_target("http://console.example")->path == "/");
}

TEST_CASE("a target that is no path is malformed", "[http]") {
    const std::string_view text = GENERATE(as<std::string_view>(), "", "*", "relative", "/%", "/%4", "/%zz", "/a%00b",
                                           "/with blank", "/a#fragment", "mailto:a@b.example");
    CAPTURE(text);
    CHECK(http::read_target(text).error() == http::errc::malformed);
}

TEST_CASE("a request prints what reads back to the same", "[http]") {
    http::Request request;
    request.method = "POST";
    request.host = "api.example";
    request.path = "/v1/a b/ü?&#";
    request.query = {{"key &", "va=l+ue %"}, {"empty", ""}};
    request.headers = {{"X-One", "1"}};
    request.body = "12345";
    const auto head = http::head_of(request);
    REQUIRE(head.has_value());
    const auto line_end = head->find("\r\n");
    const auto target = head->substr(5, line_end - 5 - std::string_view(" HTTP/1.1").size());
    const auto read = http::read_target(target);
    REQUIRE(read.has_value());
    CHECK(read->path == request.path);
    CHECK(read->query == request.query);
    CHECK(head->find("\r\nHost: api.example\r\n") != std::string::npos);
    CHECK(head->find("\r\nContent-Length: 5\r\n") != std::string::npos);
    CHECK(head->ends_with("\r\nX-One: 1\r\n\r\n"));
}

TEST_CASE("a header that would break the message is refused", "[http]") {
    const auto [name, value] = GENERATE(table<std::string, std::string>({{"X", "a\r\nEvil: 1"},
                                                                         {"X", "a\nb"},
                                                                         {"X", std::string("a\0b", 3)},
                                                                         {"X Y", "a"},
                                                                         {"X:", "a"},
                                                                         {"", "a"},
                                                                         {"content-length", "3"},
                                                                         {"Transfer-Encoding", "chunked"},
                                                                         {"Connection", "close"},
                                                                         {"Host", "b"}}));
    CAPTURE(name, value);
    http::Request request;
    request.headers = {{name, value}};
    CHECK(http::head_of(request).error() == http::errc::bad_argument);
    http::Response response;
    response.headers = {{name, value}};
    CHECK(http::head_of(response, http::Persistence::close).error() == http::errc::bad_argument);
}

TEST_CASE("host, method, path and status are checked before anything is sent", "[http]") {
    http::Request request;
    request.host = "a\r\nX: 1";
    CHECK(http::head_of(request).error() == http::errc::bad_argument);
    request = {};
    request.method = "GET /evil";
    CHECK(http::head_of(request).error() == http::errc::bad_argument);
    request = {};
    request.path = "no-slash";
    CHECK(http::head_of(request).error() == http::errc::bad_argument);
    http::Response response;
    response.status = 42;
    CHECK(http::head_of(response, http::Persistence::close).error() == http::errc::bad_argument);
    response.status = 204;
    CHECK(http::head_of(response, http::Persistence::keep_alive).value() == "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("Retry-After is read as whole seconds", "[http]") {
    const auto [value, seconds] = GENERATE(table<std::string, int>({{"60", 60},
                                                                    {" 0 ", 0},
                                                                    {"-1", -1},
                                                                    {"1.5", -1},
                                                                    {"soon", -1},
                                                                    {"", -1},
                                                                    {"99999999999999999999", -1},
                                                                    {"Wed, 21 Oct 2026 07:28:00 GMT", -1}}));
    CAPTURE(value);
    http::Response response;
    response.headers = {{"retry-after", value}};
    const auto read = response.retry_after();
    CHECK(read.has_value() == (seconds >= 0));
    if (read) CHECK(read->count() == seconds);
    CHECK_FALSE(http::Response().retry_after().has_value());
}

TEST_CASE("an https URL names host, port, authority, path and query", "[http]") {
    const auto url = http::read_https_url("https://login.example/contoso/oauth2/v2.0/token?p=b2c_1");
    REQUIRE(url.has_value());
    CHECK(url->host == "login.example");
    CHECK(url->port == 443);
    CHECK(url->authority == "login.example");
    CHECK(url->path == "/contoso/oauth2/v2.0/token");
    CHECK(url->query.at("p") == "b2c_1");
    for (const auto* empty : {"https://login.example/?#x", "https://login.example?#", "https://login.example/?"})
        CHECK(http::read_https_url(empty)->query.empty());
    const auto six = http::read_https_url("HTTPS://[::1]:8443");
    REQUIRE(six.has_value());
    CHECK(six->host == "::1");
    CHECK(six->port == 8443);
    CHECK(six->authority == "[::1]:8443");
    CHECK(six->path == "/");
}

TEST_CASE("only https URLs with a plain host are accepted", "[http]") {
    CHECK(http::read_https_url("http://login.example/").error() == http::errc::not_https);
    CHECK(http::read_https_url("ftp://login.example/").error() == http::errc::not_https);
    for (const std::string_view text : {"", "login.example/token", "https://", "https:///path", "https://u:p@host/",
                                        "https://host:99999/", "https://host:0/", "https://ho st/", "https:token",
                                        "https://127.0.0.1.login.example/", "https://127.0.0.1.login.example:443"}) {
        CAPTURE(text);
        CHECK(http::read_https_url(text).error() == http::errc::bad_url);
    }
}
