#include <catch2/catch.hpp>

#include "protocols/http/errc.hpp"
#include "protocols/http/reader.hpp"

namespace {

const http::Limits limits{.header_bytes_max = 512, .body_bytes_max = 64};

/// Feeds `bytes` in two parts, the second with what the first left over; as a connection does.
template <class Reader>
Result<void> feed(Reader& reader, std::string_view bytes, std::size_t first) {
    std::string input;
    for (const auto part : {bytes.substr(0, first), bytes.substr(first)}) {
        input += part;
        const auto used = reader.take_in(input);
        if (!used) return used.error();
        input.erase(0, *used);
        if (reader.finished()) break;
    }
    return Result<void>();
}

const std::string post =
    "POST /v1/x?a=1 HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
const std::string chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/x\r\n\r\n"
    "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n";

/// A chunked body whose first chunk head, or whose trailer with the line ends around it, has that many bytes.
std::string with_chunk_head(std::size_t bytes) { return "3;" + std::string(bytes - 4, 'x') + "\r\nabc\r\n0\r\n\r\n"; }
std::string with_trailer(std::size_t bytes) {
    return "3\r\nabc\r\n0\r\nT: " + std::string(bytes - 12, 'x') + "\r\n\r\n";
}

}  // namespace

TEST_CASE("a request reads the same however it is split", "[http]") {
    for (std::size_t at = 0; at <= post.size(); ++at) {
        CAPTURE(at);
        http::RequestReader reader(limits);
        REQUIRE(feed(reader, post, at).has_value());
        REQUIRE(reader.finished());
        const auto request = reader.take();
        REQUIRE(request.has_value());
        CHECK(request->method == "POST");
        CHECK(request->path == "/v1/x");
        CHECK(request->query.at("a") == "1");
        CHECK(request->host == "h");
        CHECK(request->header("content-type") == "text/plain");
        CHECK(request->body == "hello");
    }
}

TEST_CASE("each proper prefix of a request asks for more", "[http]") {
    for (std::size_t kept = 0; kept < post.size(); ++kept) {
        CAPTURE(kept);
        http::RequestReader reader(limits);
        REQUIRE(reader.take_in(std::string_view(post).substr(0, kept)).has_value());
        CHECK_FALSE(reader.finished());
    }
}

TEST_CASE("a chunked response reads the same however it is split", "[http]") {
    for (std::size_t at = 0; at <= chunked.size(); ++at) {
        CAPTURE(at);
        http::ResponseReader reader(limits, http::ResponseReader::To::other);
        REQUIRE(feed(reader, chunked, at).has_value());
        REQUIRE(reader.finished());
        const auto response = reader.take();
        CHECK(response.status == 200);
        CHECK(response.content_type == "text/x");
        CHECK(response.body == "abcde");
    }
}

TEST_CASE("a response cut off anywhere is incomplete", "[http]") {
    for (std::size_t kept = 0; kept < chunked.size(); ++kept) {
        CAPTURE(kept);
        http::ResponseReader reader(limits, http::ResponseReader::To::other);
        REQUIRE(reader.take_in(std::string_view(chunked).substr(0, kept)).has_value());
        CHECK(reader.end_of_input().error() == http::errc::incomplete);
    }
}

TEST_CASE("what follows a message is left to the next one", "[http]") {
    http::RequestReader reader(limits);
    const auto used = reader.take_in(post + "GET / HTTP/1.1\r\n");
    REQUIRE(used.has_value());
    CHECK(*used == post.size());
    CHECK(reader.finished());
}

TEST_CASE("malformed requests are told apart from long ones", "[http]") {
    const std::string blank = "\r\n\r\n";
    const auto [bytes, expected] = GENERATE(table<std::string, http::errc>({
        {"\x16\x03\x01\x02", http::errc::malformed},
        {"GET\r\n\r\n", http::errc::malformed},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", http::errc::malformed},
        {"GET / HTTP/1.1\r\n\r\n", http::errc::malformed},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", http::errc::malformed},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", http::errc::malformed},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", http::errc::malformed},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", http::errc::malformed},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", http::errc::malformed},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         http::errc::malformed},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", http::errc::malformed},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n", http::errc::body_too_long},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n" + std::string(65, 'x'),
         http::errc::body_too_long},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(600, 'x') + "\r\n\r\n", http::errc::header_too_long},
        {"GET /" + std::string(600, 'x'), http::errc::header_too_long},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(600, 'x'),
         http::errc::header_too_long},
    }));
    CAPTURE(bytes);
    http::RequestReader reader(limits);
    const auto used = reader.take_in(bytes);
    REQUIRE(used.has_error());
    CHECK(used.error() == expected);
}

TEST_CASE("a chunked body without bytes reads byte by byte, as a request and as a response", "[http]") {
    const std::string body = "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    http::RequestReader request(limits);
    http::ResponseReader response(limits, http::ResponseReader::To::other);
    const auto feed_bytes = [](auto& reader, const std::string& wire) {
        std::string unread;
        for (const char c : wire) {
            unread += c;
            const auto used = reader.take_in(unread);
            REQUIRE(used.has_value());
            unread.erase(0, *used);
        }
        return reader.finished();
    };
    CHECK(feed_bytes(request, "POST / HTTP/1.1\r\nHost: h\r\n" + body));
    CHECK(feed_bytes(response, "HTTP/1.1 200 OK\r\n" + body));
}

TEST_CASE("chunk heads and trailers have the header's limit, at once or byte by byte", "[http]") {
    const auto wire_with = GENERATE(&with_chunk_head, &with_trailer);
    for (const std::size_t bytes : {limits.header_bytes_max, limits.header_bytes_max + 1}) {
        CAPTURE(bytes);
        const std::string wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + wire_with(bytes);
        http::ResponseReader at_once(limits, http::ResponseReader::To::other);
        const auto read = at_once.take_in(wire);
        http::ResponseReader by_bytes(limits, http::ResponseReader::To::other);
        std::string unread;
        Result<std::size_t> used = std::size_t{0};
        for (std::size_t at = 0; used && at < wire.size(); ++at) {
            unread += wire[at];
            used = by_bytes.take_in(unread);
            if (used) unread.erase(0, *used);
        }
        if (bytes == limits.header_bytes_max) {
            CHECK((read && at_once.finished()));
            CHECK((used && by_bytes.finished()));
        } else {
            CHECK(read.error() == http::errc::header_too_long);
            CHECK(used.error() == http::errc::header_too_long);
        }
    }
}

TEST_CASE("a body without length ends with the connection", "[http]") {
    http::ResponseReader reader(limits, http::ResponseReader::To::other);
    REQUIRE(reader.take_in("HTTP/1.1 200 OK\r\n\r\nall of it").has_value());
    CHECK_FALSE(reader.finished());
    REQUIRE(reader.end_of_input().has_value());
    CHECK(reader.take().body == "all of it");
}

TEST_CASE("a status below 100 is malformed", "[http]") {
    http::ResponseReader reader(limits, http::ResponseReader::To::other);
    CHECK(reader.take_in("HTTP/1.1 099 OK\r\n\r\n").error() == http::errc::malformed);
}

TEST_CASE("a body without length is bounded, too", "[http]") {
    http::ResponseReader reader(limits, http::ResponseReader::To::other);
    CHECK(reader.take_in("HTTP/1.1 200 OK\r\n\r\n" + std::string(65, 'x')).error() == http::errc::body_too_long);
}

TEST_CASE("responses that have no body end with their header", "[http]") {
    http::ResponseReader head(limits, http::ResponseReader::To::head);
    REQUIRE(head.take_in("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").has_value());
    CHECK(head.finished());
    http::ResponseReader empty(limits, http::ResponseReader::To::other);
    REQUIRE(empty.take_in("HTTP/1.1 204 No Content\r\n\r\n").has_value());
    CHECK(empty.finished());
}

TEST_CASE("interim responses are dropped, but not without end", "[http]") {
    const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    const std::string all = interim + "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx";
    for (std::size_t at = 0; at <= all.size(); ++at) {
        CAPTURE(at);
        http::ResponseReader reader(limits, http::ResponseReader::To::other);
        REQUIRE(feed(reader, all, at).has_value());
        REQUIRE(reader.finished());
        CHECK(reader.take().status == 201);
    }
    http::ResponseReader endless(limits, http::ResponseReader::To::other);
    std::string many;
    for (int i = 0; i < 9; ++i) many += interim;
    CHECK(endless.take_in(many).error() == http::errc::too_many_interim);
    http::ResponseReader switching(limits, http::ResponseReader::To::other);
    CHECK(switching.take_in("HTTP/1.1 101 Switching Protocols\r\n\r\n").error() == http::errc::malformed);
}

TEST_CASE("a trailer adds nothing to the header, however it arrives", "[http]") {
    const std::string trailer = "0\r\nHost: other\r\nAuthorization: Bearer x\r\nContent-Type: text/html\r\n\r\n";
    const std::string request = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + trailer;
    const std::string response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + trailer;
    for (const std::size_t first : {std::size_t(0), std::size_t(30), request.size() - 30, request.size() - 1}) {
        CAPTURE(first);
        http::RequestReader reader(limits);
        REQUIRE(feed(reader, request, first).has_value());
        REQUIRE(reader.finished());
        const auto read = reader.take();
        REQUIRE(read.has_value());
        CHECK(read->host == "h");
        CHECK(read->headers.size() == 2);
        CHECK_FALSE(read->header("Authorization").has_value());
    }
    for (const std::size_t first : {std::size_t(0), response.size() - 30}) {
        CAPTURE(first);
        http::ResponseReader reader(limits, http::ResponseReader::To::other);
        REQUIRE(feed(reader, response, first).has_value());
        REQUIRE(reader.finished());
        const auto read = reader.take();
        CHECK(read.content_type.empty());
        CHECK(read.headers.size() == 1);
    }
}

TEST_CASE("a header has its limit however it arrives", "[http]") {
    for (const std::size_t bytes : {limits.header_bytes_max - 1, limits.header_bytes_max, limits.header_bytes_max + 1,
                                    limits.header_bytes_max + 20}) {
        const std::string front = "HTTP/1.1 204 No Content\r\nX: ";
        const std::string header = front + std::string(bytes - front.size() - 4, 'x') + "\r\n\r\n";
        for (std::size_t at = 0; at <= header.size(); ++at) {
            CAPTURE(bytes, at);
            http::ResponseReader reader(limits, http::ResponseReader::To::other);
            const auto fed = feed(reader, header, at);
            REQUIRE(fed.has_value() == (bytes <= limits.header_bytes_max));
            REQUIRE((!fed || reader.finished()));
        }
    }
}
