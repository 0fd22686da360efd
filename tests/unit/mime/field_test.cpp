#include "protocols/mime/field.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "protocols/mime/headers.hpp"

TEST_CASE("mime: the first field of a name is found in the header section alone", "[mime]") {
    const std::string mail =
        "Return-Path: <a@example.org>\r\nSubject: one\r\n two\r\nreturn-path: <b@example.org>\r\n"
        "X-Return-Path: no\r\n\r\nTo: body\r\n";
    CHECK(mime::field_of(mail, "Return-Path") == "<a@example.org>");
    CHECK(mime::field_of(mail, "subject") == "one\r\n two");
    CHECK(mime::field_of(mail, "To").empty());
    CHECK(mime::field_of(mail, "Return").empty());
    CHECK(mime::field_of("A: 1\nB : 2\n\n", "B") == "2");
    CHECK(mime::field_of("A: 1", "A").empty());  // more of it may follow
    CHECK(mime::field_of("", "A").empty());
    CHECK(mime::field_of("\r\nA: 1\r\n", "A").empty());
}

TEST_CASE("mime: a field beyond the limit is not looked for", "[mime][hostile-41]") {
    const std::string mail = "X: " + std::string(mime::header_bytes_max, 'x') + "\r\nTo: a@example.org\r\n\r\n";
    CHECK(mime::field_of(mail, "To").empty());
}
