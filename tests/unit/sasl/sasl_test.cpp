#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/sasl/field.hpp"
#include "protocols/sasl/oauthbearer.hpp"
#include "protocols/sasl/plain.hpp"
#include "protocols/sasl/xoauth2.hpp"

TEST_CASE("xoauth2: the vectors of both vendors", "[sasl]") {
    CHECK(sasl::xoauth2("user@example.com", Secret("ya29.token"))->reveal() ==
          "dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHlhMjkudG9rZW4BAQ==");
    CHECK(sasl::xoauth2("test@contoso.onmicrosoft.com", Secret("EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"))->reveal() ==
          "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJD"
          "M0Vv"
          "QUEBAQ==");
    CHECK(sasl::xoauth2_error_answer.empty());
}

TEST_CASE("oauthbearer: the vector of RFC 7628, host and port are those of the connection", "[sasl]") {
    const sasl::Endpoint endpoint{.host = "imap.example.com", .port = 993};
    const auto response = sasl::oauthbearer("user@example.com", endpoint, Secret("ya29.token"));
    CHECK(response->reveal() ==
          "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9aW1hcC5leGFtcGxlLmNvbQFwb3J0PTk5MwFhdXRoPUJlYXJlciB5YTI5LnRva2VuAQE=");
    const auto without_host = sasl::oauthbearer("a=b,c", sasl::Endpoint{}, Secret("t"));
    CHECK(base64_decoded(without_host->reveal()) ==
          "n,a=a=3Db=2Cc,\x01"
          "auth=Bearer t\x01\x01");
    CHECK(base64_decoded(sasl::oauthbearer_error_answer) == "\x01");
}

TEST_CASE("plain: the authorisation identity stays empty", "[sasl]") {
    CHECK(base64_decoded(sasl::plain("tim", Secret("tanstaaftanstaaf"))->reveal()) ==
          std::string("\0tim\0tanstaaftanstaaf", 21));
}

TEST_CASE("sasl: what would end a field early is refused by name", "[sasl]") {
    const std::string bad_texts[] = {"", "a\x01", "a\r", "a\n", std::string("a\0b", 3)};
    for (const std::string& bad : bad_texts) {
        CAPTURE(bad);
        const sasl::Endpoint endpoint{.host = "h", .port = 1};
        CHECK(sasl::xoauth2(bad, Secret("t")).error() == sasl::errc::bad_user);
        CHECK(sasl::xoauth2("u", Secret(bad)).error() == sasl::errc::bad_secret);
        CHECK(sasl::oauthbearer(bad, endpoint, Secret("t")).error() == sasl::errc::bad_user);
        CHECK(sasl::oauthbearer("u", endpoint, Secret(bad)).error() == sasl::errc::bad_secret);
        CHECK(sasl::plain(bad, Secret("p")).error() == sasl::errc::bad_user);
        CHECK(sasl::plain("u", Secret(bad)).error() == sasl::errc::bad_secret);
    }
    CHECK(sasl::oauthbearer("u", sasl::Endpoint{.host = "h\x01", .port = 1}, Secret("t")).error() ==
          sasl::errc::bad_host);
    CHECK_FALSE(make_error_code(sasl::errc::bad_user).message().empty());
}

TEST_CASE("saslname: equals sign and comma are escaped, nothing else", "[sasl]") {
    CHECK(sasl::saslname("a=b,c@d") == "a=3Db=2Cc@d");
}
