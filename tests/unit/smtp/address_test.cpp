#include "protocols/smtp/address.hpp"

#include <catch2/catch.hpp>

using smtp::Address;
using smtp::errc;

TEST_CASE("smtp address: what RFC 5321 and 6531 allow", "[smtp]") {
    const std::string most =
        std::string(64, 'a') + '@' + std::string(63, 'b') + '.' + std::string(63, 'c') + '.' + std::string(61, 'd');
    REQUIRE(most.size() == 254);
    for (const std::string& text :
         {std::string("desk@example.com"), std::string("a@b"), std::string("first.last+tag@sub.example-2.org"),
          std::string("!#$%&'*+-/=?^_`{|}~@example.com"), std::string("x@[127.0.0.1]"), std::string("x@[IPv6:::1]"),
          std::string("x@[ipv6:2001:db8::25]"), std::string("\"john doe\"@example.com"),
          std::string("\"\"@example.com"), std::string(R"("a\"b\\c@d"@example.com)"),
          std::string("\"a@b\"@example.com"), std::string("x@123.example"),
          std::string("gr\xc3\xbc\xc3\x9f@example.com"),
          std::string("x@b\xc3\xbc"
                      "cher.example"),
          std::string("\"\xc3\xbc \"@example.com"), most}) {
        CAPTURE(text);
        const auto address = Address::of(text);
        REQUIRE(address.has_value());
        CHECK(address->text() == text);
        CHECK(std::string(address->local_part()) + '@' + std::string(address->domain()) == text);
        const bool ascii =
            std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
        CHECK(address->needs_smtputf8() == !ascii);
    }
    CHECK(Address::of("\"a@b\"@example.com")->local_part() == "\"a@b\"");
    CHECK(Address::of("\"a@b\"@example.com")->domain() == "example.com");
}

TEST_CASE("smtp address: what they don't is refused", "[smtp]") {
    for (const std::string text : {"",
                                   "@",
                                   "a@",
                                   "@b",
                                   "a",
                                   "a@b@c",
                                   "a b@c",
                                   "a..b@c",
                                   ".a@c",
                                   "a.@c",
                                   "a@.c",
                                   "a@c.",
                                   "a@c..d",
                                   "a@-c",
                                   "a@c-",
                                   "a@c_d",
                                   "<a@b>",
                                   "a@b>",
                                   "a@b c",
                                   " a@b",
                                   "a@b ",
                                   "a(c)@b",
                                   "a,b@c",
                                   "a;b@c",
                                   "\"a@b",
                                   "\"a\"b@c",
                                   "a\"b\"@c",
                                   "\"a\"",
                                   "\"a\"@",
                                   "\"a\\\"@b",
                                   "x@[1.2.3]",
                                   "x@[1.2.3.4",
                                   "x@[]",
                                   "x@[IPv6:1.2.3.4]",
                                   "x@[::1]",
                                   "x@[IPv6:zz]",
                                   "x@[01.2.3.4]",
                                   "x@[127.0.0.1]b",
                                   "gr\xc3@b",
                                   "x@\xff.example",
                                   "a@\xe2\x80\xa8.example",
                                   "\xc2\x85@b",
                                   "\"\xe2\x80\xae\"@b"}) {
        CAPTURE(text);
        const auto address = Address::of(text);
        REQUIRE(address.has_error());
        CHECK(address.error() == errc::bad_address);
    }
}

TEST_CASE("smtp address: lengths are bounded", "[smtp]") {
    CHECK(Address::of(std::string(65, 'a') + "@b").error() == errc::address_too_long);
    CHECK(Address::of('"' + std::string(63, 'a') + "\"@b").error() == errc::address_too_long);
    CHECK(Address::of("a@" + std::string(63, 'b') + '.' + std::string(200, 'c')).error() == errc::address_too_long);
    CHECK(Address::of("a@" + std::string(64, 'b')).error() == errc::bad_address);  // a label
    CHECK(Address::of(std::string(100'000'000, 'a')).error() == errc::address_too_long);
    CHECK_FALSE(smtp::is_domain(std::string(127, 'a') + ".b"));
    std::string domain = "a";
    while (domain.size() < 255) domain += ".a";
    CHECK(smtp::is_domain(domain));
    CHECK_FALSE(smtp::is_domain(domain + ".a"));
}

TEST_CASE("smtp address: no control byte gets in, wherever it stands", "[smtp][hostile-13]") {
    for (int c = 0; c < 0x20; ++c) {
        for (const std::string form :
             {"?@example.com", "a?b@example.com", "a@exa?mple.com", "a@example.com?", "\"a?b\"@example.com",
              "\"a\\?b\"@example.com", "a@[127.0.0.1?]", "?a@example.com"}) {
            std::string text = form;
            text[text.find('?')] = static_cast<char>(c);
            CAPTURE(c, form);
            CHECK(Address::of(text).has_error());
        }
    }
    CHECK(Address::of("a\x7f@example.com").has_error());
    CHECK(Address::of("\"a\x7f\"@example.com").has_error());
    CHECK(Address::of("a@example.com\r\nRCPT TO:<b@example.com>").has_error());
}
