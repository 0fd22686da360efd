#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "protocols/pop3/errc.hpp"
#include "protocols/pop3/response_reader.hpp"

using pop3::Limits;
using pop3::ResponseReader;
using Kind = ResponseReader::Event::Kind;
using Shape = ResponseReader::Shape;

namespace {

/// Everything that a reader says about `bytes`, which arrive in pieces, when answers of these shapes are awaited in
/// turn; chunks of one message are put together. Ends with the error, or with "more" when something is unfinished.
std::vector<std::string> said_about(std::string_view bytes, const std::vector<Shape>& shapes, std::size_t piece_bytes,
                                    Limits limits = {}) {
    ResponseReader reader(limits);
    std::vector<std::string> said;
    std::string unread;
    std::size_t awaited = 0;
    bool within = false;  // a message
    reader.expect(shapes[0]);
    while (awaited < shapes.size()) {
        const auto event = reader.read(unread);
        if (!event) {
            said.push_back(event.error().message());
            return said;
        }
        bool over = event->kind == Kind::end;
        if (event->kind == Kind::status) {
            said.push_back("status " + std::string(event->text));
            const bool accepted = event->text == "+OK" || event->text.starts_with("+OK ");
            over = !accepted || shapes[awaited] == Shape::status;
            within = !over && shapes[awaited] == Shape::body;
            if (within) said.emplace_back("body: ");
        }
        if (event->kind == Kind::line) said.push_back("line " + std::string(event->text));
        if (event->kind == Kind::body_bytes) {
            CHECK_FALSE(event->text.empty());
            said.back() += event->text;
        }
        if (event->kind == Kind::end) said.emplace_back("end");
        unread.erase(0, event->used_bytes);
        if (over && ++awaited < shapes.size()) reader.expect(shapes[awaited]);
        if (event->kind != Kind::more) continue;
        if (bytes.empty()) break;
        unread += bytes.substr(0, piece_bytes);
        bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
    }
    if (awaited < shapes.size()) said.emplace_back("more");
    return said;
}

struct Row {
    std::string bytes;
    std::vector<Shape> shapes;
    std::vector<std::string> said;
};

const std::string lf_dot = "+OK\r\na\n.\nb\n..\r\r\n.\r\n";

const std::vector<Row> rows = {
    {"+OK hi\r\n-ERR no\r\n+ \r\n",
     {Shape::status, Shape::lines, Shape::status},
     {"status +OK hi", "status -ERR no", "status + "}},
    {"+OK\r\n.\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n",
     {Shape::lines, Shape::lines},
     {"status +OK", "end", "status +OK", "line 1 a", "line 2 b", "end"}},
    {"+OK\r\n..x\r\n...\r\n.\r\n", {Shape::lines}, {"status +OK", "line .x", "line ..", "end"}},
    {"+OK\r\n.\r\n", {Shape::body}, {"status +OK", "body: ", "end"}},
    {"+OK 5 octets\r\nabc\r\n.\r\n+OK\r\n",
     {Shape::body, Shape::status},
     {"status +OK 5 octets", "body: abc\r\n", "end", "status +OK"}},
    {"+OK\r\n..\r\n..a\r\n...\r\nb..\r\n\r\n.\r\n",
     {Shape::body},
     {"status +OK", "body: .\r\n.a\r\n..\r\nb..\r\n\r\n", "end"}},
    // Only CRLF ends a line: what looks like the end behind a bare LF or CR is a part of the message.
    {lf_dot, {Shape::body}, {"status +OK", "body: a\n.\nb\n..\r\r\n", "end"}},
    {"+OK\r\na\r.\r\nb\r\n.\n.\r\n.\r\n", {Shape::body}, {"status +OK", "body: a\r.\r\nb\r\n\n.\r\n", "end"}},
    {"+OK\r\n.\r.\r\n.\r\n", {Shape::body}, {"status +OK", "body: \r.\r\n", "end"}},
    {"-ERR no such message\r\n+OK\r\n", {Shape::body, Shape::status}, {"status -ERR no such message", "status +OK"}},
    {"+OKAY\r\nx\r\n", {Shape::lines, Shape::status}, {"status +OKAY", "status x"}},
};

}  // namespace

TEST_CASE("pop3 reader: what servers say, split in any way", "[pop3]") {
    for (const Row& row : rows) {
        for (std::size_t piece_bytes = 1; piece_bytes <= row.bytes.size(); ++piece_bytes) {
            CAPTURE(row.bytes, piece_bytes);
            REQUIRE(said_about(row.bytes, row.shapes, piece_bytes) == row.said);
        }
    }
}

TEST_CASE("pop3 reader: every proper prefix asks for more", "[pop3]") {
    for (const Row& row : rows) {
        for (std::size_t kept = 0; kept < row.bytes.size(); ++kept) {
            CAPTURE(row.bytes, kept);
            CHECK(said_about(row.bytes.substr(0, kept), row.shapes, 4096).back() == "more");
        }
    }
}

TEST_CASE("pop3 reader: a message comes back as it was before its dots were stuffed", "[pop3]") {
    std::uint32_t state = 4711;
    const auto chance = [&state](std::uint32_t below) {
        state = state * 1664525U + 1013904223U;
        return (state >> 16U) % below;
    };
    for (int round = 0; round < 300; ++round) {
        std::string message;
        for (auto left = chance(60); left > 0; --left) message += ".\r\na"[chance(4)];
        message += "\r\n";
        std::string sent = "+OK\r\n" + std::string(message.starts_with('.') ? "." : "");
        for (std::size_t i = 0; i < message.size(); ++i) {
            sent += message[i];
            if (message.compare(i, 1, "\n") == 0 && i > 0 && message[i - 1] == '\r' &&
                message.substr(i + 1).starts_with('.'))
                sent += '.';
        }
        sent += ".\r\n";
        const std::size_t piece_bytes = 1 + chance(9);
        CAPTURE(round, message, piece_bytes);
        const std::vector<std::string> wanted = {"status +OK", "body: " + message, "end"};
        REQUIRE(said_about(sent, {Shape::body}, piece_bytes) == wanted);
    }
}

TEST_CASE("pop3 reader: what a server can make us hold has limits", "[pop3][hostile-39]") {
    const Limits limits{.line_bytes_max = 20, .listing_lines_max = 3, .body_bytes_max = 10};
    struct Case {
        std::string bytes;
        Shape shape;
        pop3::errc ends_in;
    };
    const std::vector<Case> cases = {
        {"+OK " + std::string(17, 'x') + "\r\n", Shape::status, pop3::errc::line_too_long},
        {"+OK " + std::string(40, 'x'), Shape::status, pop3::errc::line_too_long},
        {"+OK\n", Shape::status, pop3::errc::malformed_response},
        {"\n", Shape::status, pop3::errc::malformed_response},
        {"+OK\r\n1\r\n2\r\n3\r\n4\r\n", Shape::lines, pop3::errc::too_many_lines},
        {"+OK\r\n" + std::string(30, '1'), Shape::lines, pop3::errc::line_too_long},
        {"+OK\r\n12345678\r\n1\r\n.\r\n", Shape::body, pop3::errc::body_too_long},
    };
    for (const Case& each : cases) {
        CAPTURE(each.bytes);
        for (const std::size_t piece_bytes : {1U, 3U, 100U}) {
            CHECK(said_about(each.bytes, {each.shape}, piece_bytes, limits).back() ==
                  make_error_code(each.ends_in).message());
        }
    }
    // Lines of a message are not held: they may have any length.
    const std::string line(5000, 'x');
    CHECK(said_about("+OK\r\n" + line + "\r\n.\r\n", {Shape::body}, 7, {.line_bytes_max = 20}).back() == "end");
}
