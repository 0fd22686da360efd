#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/mime/charsets.hpp"
#include "protocols/mime/dates.hpp"
#include "protocols/mime/encoded_words.hpp"
#include "protocols/mime/parameters.hpp"
#include "protocols/mime/parties.hpp"
#include "protocols/mime/transfer_decoding.hpp"
#include "protocols/mime/words.hpp"

namespace {

/// Some bytes of any kind, the same each time.
std::string noise(std::size_t size, unsigned seed) {
    std::string bytes;
    for (std::size_t at = 0; at < size; ++at) {
        seed = seed * 1103515245U + 12345U;
        bytes += static_cast<char>(seed >> 16U);
    }
    return bytes;
}

std::string in_lines(std::string_view text) {
    std::string lines;
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(76, text.size())))
        lines.append(text.substr(0, 76)).append("\r\n");
    return lines;
}

}  // namespace

TEST_CASE("base64 of any length comes back, in lines or not, and is counted without decoding", "[mime]") {
    for (std::size_t size = 0; size < 300; ++size) {
        const auto bytes = noise(size, static_cast<unsigned>(size));
        const auto text = base64_encoded(bytes);
        CAPTURE(size);
        CHECK(mime::decoded_base64(text) == bytes);
        CHECK(mime::decoded_base64(in_lines(text)) == bytes);
        CHECK(mime::decoded_base64_bytes(in_lines(text)) == size);
        CHECK(mime::decoded_base64(in_lines(text), size / 2) == bytes.substr(0, size / 2));
    }
}

TEST_CASE("base64 of anything is counted as it is decoded", "[mime]") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        auto text = noise(seed, seed);
        for (char& c : text) c = "AZaz09+/= \r\n!"[static_cast<unsigned char>(c) % 13];
        CAPTURE(text);
        CHECK(mime::decoded_base64_bytes(text) == mime::decoded_base64(text).size());
        for (std::size_t most = 0; most < 8; ++most) {
            CHECK(mime::decoded_base64(text, most) == mime::decoded_base64(text).substr(0, most));
            CHECK(mime::decoded_quoted_printable(text, most) == mime::decoded_quoted_printable(text).substr(0, most));
        }
    }
}

TEST_CASE("what composing writes is read back", "[mime]") {
    for (const std::string text : {"plain",
                                   "\xc3\x9c"
                                   "bersicht",
                                   "\xe2\x82\xac \xf0\x9f\x98\x80 and more", "=?utf-8?Q?no?=", "quote \" and \\",
                                   "a very long name that does not fit into one line of a header section, "
                                   "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f, and goes on and on"}) {
        CAPTURE(text);
        CHECK(mime::decoded_words(mime::unstructured(text, 9)) == text);
        const auto parties = mime::parties_in(mime::phrase(text) + " <a@b.test>");
        REQUIRE(parties.size() == 1);
        CHECK(parties[0].name == text);
        // Many write encoded words where they do not belong, so they are read there.
        if (!text.starts_with("=?"))
            CHECK(mime::read_parameters("attachment" + mime::parameter("filename", text)).at("filename") == text);
    }
}

TEST_CASE("UTF-8 is told from what is not", "[mime]") {
    for (const char* good :
         {"", "a", "\xc3\xa4", "eight by\xc3\xa4tes", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
        CHECK(mime::is_utf8(good));
    for (const char* bad :
         {"\xc3", "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "eight by\xc3", "\xc3("})
        CHECK_FALSE(mime::is_utf8(bad));
}

TEST_CASE("a charset is detected with care", "[mime]") {
    CHECK(mime::detected_charset("plain") == "us-ascii");
    CHECK(mime::detected_charset("K\xc3\xb6ln") == "utf-8");
    CHECK(mime::detected_charset("K\xf6ln") == "windows-1252");
    CHECK(mime::detected_charset("K\xf6ln", "iso-8859-2") == "iso-8859-2");
    CHECK(mime::detected_charset("\x1b$B%a\x1b(B") == "iso-2022-jp");
    // Not valid in what is likely: it does not count.
    CHECK(mime::detected_charset("K\xf6ln", "euc-jp") == "windows-1252");
    CHECK(mime::decoded_text("K\xf6ln", "no-such").charset == "windows-1252");
    CHECK(mime::decoded_text("K\xf6ln", "no-such").detected);
    CHECK(mime::decoded_text("a\x81", "shift_jis").damaged);
    CHECK(mime::decoded_text("a\x81", "shift_jis").utf8 == "a\xef\xbf\xbd");
}

TEST_CASE("options of the converter are no names of charsets", "[mime]") {
    CHECK(mime::is_charset("UTF-8"));
    CHECK(mime::is_charset("ISO-8859-1"));
    for (const char* name : {"", "utf-8,swaplfnl", "utf-8,version=1", "../x", "x y", "no-such-charset",
                             "a-name-that-is-longer-than-any-charset-has-ever-been"})
        CHECK_FALSE(mime::is_charset(name));
}

TEST_CASE("dates are written in the zone that they came with", "[mime]") {
    const auto date = mime::read_date("Sat, 31 Jan 2026 23:30:15 -0330");
    REQUIRE(date);
    CHECK(mime::date_text(*date) == "2026-01-31T23:30:15-03:30");
    CHECK(mime::date_text({date->at, {}}) == "2026-02-01T03:00:15Z");
    CHECK_FALSE(mime::read_date("31 Jan 2026"));
    CHECK_FALSE(mime::read_date(std::string(100'000, '(')));
}
