#include "protocols/base/utf8.hpp"

#include <catch2/catch.hpp>

TEST_CASE("utf8: the shortest form of every code point is read, nothing else is", "[base]") {
    const auto value = [](std::string_view bytes) -> long {
        const auto first = text::first_code_point(bytes);
        return first && first->bytes == bytes.size() ? static_cast<long>(first->value) : -1;
    };
    CHECK(value("a") == 'a');
    CHECK(value(std::string_view("\0", 1)) == 0);
    CHECK(value("\xc3\xbc") == 0xfc);
    CHECK(value("\xe2\x82\xac") == 0x20ac);
    CHECK(value("\xf0\x9f\x93\xa8") == 0x1f4e8);
    CHECK(value("\xf4\x8f\xbf\xbf") == 0x10ffff);

    CHECK(value("") == -1);
    CHECK(value("\x80") == -1);
    CHECK(value("\xc0\x80") == -1);          // overlong NUL
    CHECK(value("\xe0\x9f\xbf") == -1);      // overlong
    CHECK(value("\xf0\x8f\xbf\xbf") == -1);  // overlong
    CHECK(value("\xed\xa0\x80") == -1);      // surrogate
    CHECK(value("\xf4\x90\x80\x80") == -1);  // beyond the last
    CHECK(value("\xc3") == -1);              // cut off
    CHECK(value("\xc3\x28") == -1);
    CHECK(value("\xff") == -1);
}

TEST_CASE("utf8: what ends, turns or controls a line is not printable", "[base]") {
    for (const char32_t point : {0x00, 0x09, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0x2028, 0x2029, 0x202e, 0x2066})
        CHECK_FALSE(text::is_printable(point));
    for (const char32_t point : {0x20, 0x7e, 0xa0, 0xfc, 0x20ac, 0x1f4e8}) CHECK(text::is_printable(point));
}
