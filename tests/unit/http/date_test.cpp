#include "protocols/http/date.hpp"

#include <catch2/catch.hpp>

TEST_CASE("http: a Date header is read in the form that is sent today", "[http]") {
    const auto date = http::read_date("Sun, 06 Nov 1994 08:49:37 GMT");
    REQUIRE(date);
    CHECK(std::chrono::system_clock::to_time_t(*date) == 784111777);
    CHECK(http::read_date(" Fri, 27 Nov 2026 00:57:12 GMT "));
    CHECK(http::read_date("Thu, 29 Feb 2024 00:00:00 GMT"));
    for (const auto* wrong :
         {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37",
          "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
          "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC"}) {
        CAPTURE(wrong);
        CHECK_FALSE(http::read_date(wrong));
    }
}
