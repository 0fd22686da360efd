#include "protocols/smtp/reply.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

using smtp::EnhancedCode;
using smtp::errc;
using smtp::read_reply;
using smtp::Reply;
using smtp::ReplyLimits;
using smtp::ReplyReader;

namespace {

/// What the replies in `bytes` are, which arrive in pieces; ends with the error, or "more" when one is unfinished.
std::vector<std::string> said_in(std::string_view bytes, std::size_t piece_bytes, ReplyLimits limits = {}) {
    ReplyReader reader(limits);
    std::vector<std::string> said;
    std::string unread;
    for (;;) {
        const auto read = reader.read(unread);
        if (!read) {
            said.push_back(read.error().message());
            return said;
        }
        unread.erase(0, read->used_bytes);
        if (read->reply) {
            said.push_back(read->reply->text() + " in " + std::to_string(read->reply->lines.size()));
            continue;
        }
        if (bytes.empty()) break;
        unread += bytes.substr(0, piece_bytes);
        bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
    }
    if (!unread.empty() || reader.midway()) said.push_back("more");
    return said;
}

Reply one(std::string_view bytes) {
    const auto read = read_reply(bytes, {});
    REQUIRE(read.has_value());
    REQUIRE(read->has_value());
    CHECK((*read)->used_bytes == bytes.size());
    return *(*read)->reply;
}

error_code fault_of(std::string_view bytes, ReplyLimits limits = {}) {
    const auto read = read_reply(bytes, limits);
    return read ? error_code() : read.error();
}

const std::vector<std::string> corpus = {
    "250 ok\r\n",
    "250\r\n",
    "250 \r\n",
    "220 mx.example.com ESMTP\r\n250-mx.example.com\r\n250-SIZE 1000\r\n250 8BITMIME\r\n",
    "250 2.1.0 Sender ok\r\n550 5.1.1 <a@b> unknown\r\n354 go on\r\n",
    "535-5.7.8 Username and Password not accepted. Learn more at\r\n535 5.7.8  https://support.google.com/ x - "
    "gsmtp\r\n",
    "250-2.0.0 one\r\n250-5.0.0 two\r\n250 three\r\n",
    "334 eyJzdGF0dXMiOiI0MDAifQ==\r\n",
    "554 with a \r bare CR, \x1b[31m and a \xff\r\n",
    "250 ok\n",
    "250-ok\r\n251 no\r\n",
    "HTTP/1.1 400 Bad Request\r\n",
    "* OK IMAP4rev1\r\n",
    "250-never\r\n250-ends\r\n",
};

}  // namespace

TEST_CASE("smtp reply: code, enhanced code and text of each line", "[smtp]") {
    CHECK(one("250 ok\r\n") == Reply{250, std::nullopt, {"ok"}});
    CHECK(one("250\r\n") == Reply{250, std::nullopt, {""}});
    CHECK(one("250 2.1.0 Sender ok\r\n") == Reply{250, EnhancedCode{2, 1, 0}, {"Sender ok"}});
    CHECK(one("550 5.7.60\r\n") == Reply{550, EnhancedCode{5, 7, 60}, {""}});
    CHECK(one("535 5.7.139 no\r\n") == Reply{535, EnhancedCode{5, 7, 139}, {"no"}});
    CHECK(one("535-5.7.8 Learn more at\r\n535 5.7.8  https://x\r\n") ==
          Reply{535, EnhancedCode{5, 7, 8}, {"Learn more at", " https://x"}});
    // One that contradicts the first line's stays text, and so does one that is none.
    CHECK(one("250-2.0.0 one\r\n250 5.0.0 two\r\n") == Reply{250, EnhancedCode{2, 0, 0}, {"one", "5.0.0 two"}});
    CHECK(one("250-one\r\n250 2.0.0 two\r\n") == Reply{250, std::nullopt, {"one", "2.0.0 two"}});
    for (const std::string text :
         {"3.1.1 x", "5.1 x", "5.1.1.1 x", "5.1234.1 x", "5..1 x", "5.1.x y", "55.1.1 x", "5.-1.1 x"})
        CHECK(one("550 " + text + "\r\n") == Reply{550, std::nullopt, {text}});
    CHECK(one("354 2.0.0 go\r\n") == Reply{354, std::nullopt, {"2.0.0 go"}});
    CHECK(one("432 4.3.2 Concurrent connections limit exceeded\r\n").text() ==
          "432 4.3.2 Concurrent connections limit exceeded");

    CHECK(one("250 ok\r\n").accepted());
    CHECK(one("354 go\r\n").asks_for_more());
    CHECK(one("450 wait\r\n").transient());
    CHECK(one("450 wait\r\n").refused());
    CHECK(one("550 no\r\n").refused());
    CHECK_FALSE(one("550 no\r\n").transient());
    CHECK(one("421 bye\r\n").says_goodbye());
    CHECK_FALSE(Reply{}.came());
}

TEST_CASE("smtp reply: what is no reply is refused", "[smtp][hostile-11]") {
    for (const std::string bytes : {"\r\n", "25\r\n", "2500\r\n", "250x\r\n", "250\tx\r\n", "x50 ok\r\n", "25x ok\r\n",
                                    "150 ok\r\n", "650 ok\r\n", "050 ok\r\n", " 250 ok\r\n", "* OK\r\n",
                                    "HTTP/1.1 400 Bad Request\r\n", "250-one\r\nok\r\n", "250-one\r\n\r\n"}) {
        CAPTURE(bytes);
        CHECK(fault_of(bytes) == errc::malformed_reply);
    }
    // Codes that differ between lines.
    CHECK(fault_of("250-one\r\n251 two\r\n") == errc::malformed_reply);
    CHECK(fault_of("550-one\r\n250 two\r\n") == errc::malformed_reply);
    // A bare LF ends no line: what a server repeats of an address can't become a reply of its own.
    CHECK(fault_of("250 ok\n") == errc::malformed_reply);
    CHECK(fault_of("550 5.1.1 <a\n250 ok> unknown\r\n") == errc::malformed_reply);
}

TEST_CASE("smtp reply: every proper prefix asks for more", "[smtp]") {
    for (const std::string bytes :
         {"250 2.1.0 ok\r\n", "250\r\n", "250-mx\r\n250-SIZE 5\r\n250 DSN\r\n", "554 a\rb\r\n"}) {
        for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
            const auto read = read_reply(std::string_view(bytes).substr(0, kept), {});
            CAPTURE(bytes, kept);
            REQUIRE(read.has_value());
            CHECK_FALSE(read->has_value());
        }
    }
}

TEST_CASE("smtp reply: any split of the bytes gives the same replies", "[smtp]") {
    for (const std::string& bytes : corpus) {
        const auto whole = said_in(bytes, bytes.size());
        REQUIRE_FALSE(whole.empty());
        for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
            CAPTURE(bytes, piece);
            CHECK(said_in(bytes, piece) == whole);
        }
    }
}

TEST_CASE("smtp reply: lines, their number and their sum are bounded", "[smtp][hostile-11]") {
    const ReplyLimits limits{.line_bytes_max = 20, .lines_max = 3, .reply_bytes_max = 50};
    const auto last_of = [&](const std::string& bytes, std::size_t piece) {
        return said_in(bytes, piece, limits).back();
    };
    const std::string too_long_line = make_error_code(errc::reply_line_too_long).message();
    const std::string too_long = make_error_code(errc::reply_too_long).message();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        CAPTURE(piece);
        CHECK(last_of("250 " + std::string(16, 'x') + "\r\n", piece) == "250 " + std::string(16, 'x') + " in 1");
        CHECK(last_of("250 " + std::string(17, 'x') + "\r\n", piece) == too_long_line);
        CHECK(last_of("250 " + std::string(500, 'x'), piece) == too_long_line);  // and never an end
        CHECK(last_of("250 " + std::string(500, 'x') + '\n', piece) == too_long_line);
        CHECK(last_of("250-a\r\n250-b\r\n250 c\r\n", piece) == "250 a b c in 3");
        CHECK(last_of("250-a\r\n250-b\r\n250-c\r\n250 d\r\n", piece) == too_long);
        const std::string line = "250-" + std::string(14, 'x') + "\r\n";
        CHECK(last_of(line + line + "250 " + std::string(11, 'x') + "\r\n", piece) == too_long);
        // Each reply counts for itself.
        CHECK(last_of(line + "250 b\r\n" + line + "250 b\r\n" + line + "250 b\r\n", piece).ends_with(" in 2"));
    }
}

TEST_CASE("smtp reply: a gigabyte without end costs nothing and ends at the limit", "[smtp][hostile-11]") {
    ReplyReader reader{ReplyLimits{}};
    std::string unread;
    std::size_t arrived = 0;
    for (; arrived < 10'000'000; ++arrived) {
        unread += arrived < 4 ? "250 "[arrived] : 'x';
        const auto read = reader.read(unread);
        if (!read) break;
        REQUIRE(read->used_bytes == 0);
    }
    CHECK(arrived == 4098);

    ReplyReader lines{ReplyLimits{}};
    std::size_t taken = 0;
    for (; taken < 1'000'000; ++taken) {
        const auto read = lines.read("250-SIZE 1\r\n");
        if (!read) break;
    }
    CHECK(taken == 256);
}

TEST_CASE("smtp reply: its text is one safe line, whatever the server sent", "[smtp][hostile-12]") {
    CHECK(one("550 a\rb\r\n").lines == std::vector<std::string>{"a\\x0db"});
    CHECK(one(std::string_view("550 a\0b\t\x1b[31m\x7f\r\n", 16)).lines ==
          std::vector<std::string>{"a\\x00b\\x09\\x1b[31m\\x7f"});
    CHECK(one("550 gr\xc3\xbc\xc3\x9f dich\r\n").lines == std::vector<std::string>{"gr\xc3\xbc\xc3\x9f dich"});
    CHECK(one("550 \xff\xc3 \xc2\x85 \xe2\x80\xa8 \xe2\x80\xae\r\n").lines ==
          std::vector<std::string>{"\\xff\\xc3 \\xc2\\x85 \\xe2\\x80\\xa8 \\xe2\\x80\\xae"});
    const std::string text = one("550-a\r\n550 b\rc\r\n").text();
    CHECK(text == "550 a b\\x0dc");
    for (int c = 0; c < 256; ++c) {
        if (c == '\n') continue;
        std::string bytes = "550 x";
        bytes += static_cast<char>(c);
        bytes += "y\r\n";
        const std::string said = one(bytes).text();
        CAPTURE(c);
        CHECK(std::none_of(said.begin(), said.end(),
                           [](char s) { return static_cast<unsigned char>(s) < 0x20 || s == 0x7f; }));
        CHECK((c >= 0x20 && c < 0x7f) == (said == "550 x" + std::string(1, static_cast<char>(c)) + 'y'));
    }
}
