#include <catch2/catch.hpp>

#include <boost/json/serialize.hpp>
#include <ctime>

#include "engine/view/view.hpp"
#include "tests/support/sanitized.hpp"

namespace {

std::string many_parts(std::size_t count) {
    std::string mail = "Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (std::size_t part = 0; part < count; ++part) mail += "--b\r\n\r\n\r\n";
    return mail + "--b--\r\n";
}

std::string deep(std::size_t levels) {
    std::string mail = "Subject: deep\r\n";
    for (std::size_t level = 0; level < levels; ++level) {
        const auto name = std::to_string(level);
        mail += "Content-Type: multipart/mixed; boundary=b" + name + "\r\n\r\n--b" + name + "\r\n";
    }
    return mail;
}

std::string repeated(std::string_view piece, std::size_t count) {
    std::string text;
    text.reserve(piece.size() * count);
    for (std::size_t at = 0; at < count; ++at) text += piece;
    return text;
}

/// Processor time of what `work` does, in seconds.
template <class Work>
double seconds_of(Work work) {
    const auto begin = std::clock();
    work();
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("a million parts, 100,000 levels or a header of 50 MB: unreadable with the reason, and at once",
          "[view][hostile-32][hostile-41][hostile-61]") {
    struct Case {
        std::string name, mail, why;
    };
    const std::vector<Case> cases{
        {"a million parts", many_parts(1'000'000), "more than 2000 parts"},
        {"100,000 levels", deep(100'000), "parts in parts, more than 50 deep"},
        {"100,000 mails in mails", repeated("Content-Type: message/rfc822\r\n\r\n", 100'000),
         "parts in parts, more than 50 deep"},
        {"a field of 50 MB", "Subject: " + std::string(50'000'000, 'x') + "\r\n\r\nbody",
         "a header section of more than 262144 bytes or 2000 fields"},
        {"a million fields", repeated("X: y\r\n", 1'000'000) + "\r\nbody",
         "a header section of more than 262144 bytes or 2000 fields"},
        {"a part with a field of 5 MB",
         "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: " + std::string(5'000'000, 'x') +
             "\r\n\r\nx\r\n--b--\r\n",
         "a part's header section of more than 65536 bytes or 2000 fields"},
    };
    for (const auto& one : cases) {
        CAPTURE(one.name);
        boost::json::object view;
        const auto seconds = seconds_of([&] { view = view::view_of(one.mail, {}); });
        CHECK(view.at("readable").as_bool() == false);
        CHECK(view.at("why").as_string() == one.why);
        CHECK(view.contains("headers"));
        if (!support::sanitized) CHECK(seconds < 0.5);
    }
}

TEST_CASE("what may be slow with its length squared is not", "[view][hostile-61]") {
    // A mebibyte each; a parser that looks at each byte for each byte would take minutes.
    constexpr std::size_t bytes = 1 << 20;
    const std::vector<std::pair<std::string, std::string>> cases{
        {"beginnings of encoded words", "Subject: " + repeated("=?a?Q?", 40'000) + "\r\n\r\n"},
        {"empty encoded words", "Subject: " +
                                    repeated("=?a?Q?"
                                             "?=",
                                             30'000) +
                                    "\r\n\r\n"},
        {"colons in addresses", "To: a@b" + repeated(":", 200'000) + "\r\n\r\n"},
        {"brackets in addresses", "To: " + repeated("<", 200'000) + "\r\n\r\n"},
        {"comments in addresses", "To: " + repeated("(", 200'000) + "\r\n\r\n"},
        {"brackets in ids", "References: " + repeated("<", 200'000) + "\r\n\r\n"},
        {"quotes in parameters", "Content-Type: text/plain; " + repeated("a=\"", 60'000) + "\r\n\r\n"},
        {"names of parameters", "Content-Type: text/plain" + repeated("; a=b", 40'000) + "\r\n\r\n"},
        {"folded lines", "Subject: " + repeated("\r\n ", 80'000) + "\r\n\r\n"},
        {"dashes", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + repeated("--\r\n", bytes / 4)},
        {"almost boundaries", "Content-Type: multipart/mixed; boundary=bbbbbbbb\r\n\r\n--bbbbbbbb\r\n\r\n" +
                                  repeated("--bbbbbbb\r\n", bytes / 11)},
        {"equals signs in quoted-printable",
         "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + repeated("=", bytes)},
        {"blanks in quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + repeated(" ", bytes)},
        {"padding in base64",
         "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + repeated("=", bytes)},
        {"meta elements", "Content-Type: text/html\r\n\r\n" + repeated("<meta ", bytes / 6)},
        {"a bounce of nothing but addresses",
         "Return-Path: <>\r\n\r\nThis is the qmail-send program\r\n" + repeated("<a@b.test>:\r\n", bytes / 13)},
        {"a report of nothing but groups", "Content-Type: message/delivery-status\r\n\r\n" +
                                               repeated("Final-Recipient: rfc822; a@b\r\n\r\n", bytes / 31)},
        {"returned headers without an end", "Return-Path: <>\r\n\r\nThis is the qmail-send program\r\n<a@b.test>:\r\n" +
                                                repeated("From: a\r\nx\r\n", bytes / 12)},
    };
    for (const auto& [name, mail] : cases) {
        CAPTURE(name);
        const auto seconds = seconds_of([&, &bytes_of_mail = mail] { (void)view::view_of(bytes_of_mail, {}); });
        CHECK(seconds < (support::sanitized ? 20 : 1));
    }
}

TEST_CASE("texts end at their limit, between characters", "[view]") {
    view::Limits limits;
    limits.text_bytes_max = 5;
    const auto view = view::view_of("Content-Type: text/plain; charset=utf-8\r\n\r\na\xc3\xa4\xc3\xa4\xc3\xa4", limits);
    CHECK(view.at("text").as_string() == "a\xc3\xa4\xc3\xa4");
    CHECK(view.at("truncated").as_bool());
    const auto whole = view::view_of("Content-Type: text/plain; charset=utf-8\r\n\r\na\xc3\xa4\xc3\xa4", limits);
    CHECK_FALSE(whole.at("truncated").as_bool());
}

TEST_CASE("a part is taken out decoded, by its number in the view", "[view]") {
    const std::string mail =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''%C3%9C.pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: inner\r\n\r\nx\r\n--b--\r\n";
    CHECK(view::file_of(mail, 1, {})->bytes == "text");
    const auto file = view::file_of(mail, 2, {});
    REQUIRE(file);
    CHECK(file->bytes == std::string("\0\1\2\3", 4));
    CHECK(file->name == "\xc3\x9c.pdf");
    CHECK(file->type == "application/pdf");
    CHECK(view::file_of(mail, 3, {})->bytes == "Subject: inner\r\n\r\nx");
    CHECK(view::file_of(mail, 4, {})->bytes == "x");
    CHECK_FALSE(view::file_of(mail, 5, {}));
}

TEST_CASE("a file is saved under a harmless name", "[view]") {
    CHECK(view::disposition_of("plan.pdf") == "attachment; filename=\"plan.pdf\"");
    CHECK(view::disposition_of("my plan.pdf") == "attachment; filename=\"my plan.pdf\"");
    CHECK(view::disposition_of("../../etc/passwd") == "attachment; filename=\"passwd\"");
    CHECK(view::disposition_of("C:\\temp\\a.exe") == "attachment; filename=\"a.exe\"");
    CHECK(view::disposition_of("\xc3\x9c.pdf") == "attachment; filename=\"__.pdf\"; filename*=UTF-8''%C3%9C.pdf");
    CHECK(view::disposition_of("a\"b\r\nX: y.pdf") ==
          "attachment; filename=\"a_bX_ y.pdf\"; filename*=UTF-8''a%22bX%3A%20y.pdf");
    for (const char* nothing : {"", ".", "..", "/", "\r\n"}) CHECK(view::disposition_of(nothing) == "attachment");
}
