#include "engine/retriever/stand_in.hpp"

#include <catch2/catch.hpp>
#include <string>

TEST_CASE("stand-in: what Courier serves for a deleted message is none, whoever quotes it has written one") {
    const std::string words =
        "From: System Administrator <root@localhost>\r\nSubject: message unavailable\r\n\r\n"
        "This message is no longer available on the server.\r\n";
    CHECK(words.size() == 129);  // as Courier announces it
    CHECK(retriever::is_stand_in(words));
    CHECK_FALSE(retriever::is_stand_in(words + "\r\n"));
    CHECK_FALSE(retriever::is_stand_in("Date: Thu, 26 Nov 2026 19:00:00 +0000\r\n" + words));
    CHECK_FALSE(retriever::is_stand_in(words.substr(0, words.size() - 2)));
    CHECK_FALSE(retriever::is_stand_in(""));
}
