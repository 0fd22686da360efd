#include "protocols/http/client.hpp"

#include "protocols/http/errc.hpp"
#include "protocols/net/errc.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/unit/http/fixture.hpp"

namespace {

using support::ScriptedStream;
using Who = ScriptedStream::Turn::Who;
using http_test::Shard;

const std::string asked = "POST /token HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\na=b";
const net::Pace pace{.within = http_test::soon, .bytes_per_second_min = 0};
const http::Limits limits{.header_bytes_max = 256, .body_bytes_max = 32};

Result<http::Response> answer_to(std::string said, std::size_t piece_bytes) {
    Shard shard;
    ScriptedStream stream({{Who::client, asked}, {Who::server, std::move(said)}}, piece_bytes);
    http::Request request;
    request.method = "POST";
    request.host = "h";
    request.path = "/token";
    request.body = "a=b";
    auto response = shard.result_of(http::call(stream, std::move(request), limits, pace));
    CHECK(stream.surprise().empty());
    CHECK(stream.written() == asked);
    return response;
}

}  // namespace

TEST_CASE("the client reads a response in pieces of any size", "[http]") {
    for (std::size_t piece = 1; piece < 80; ++piece) {
        CAPTURE(piece);
        const auto response =
            answer_to("HTTP/1.1 429 Slow\r\nRetry-After: 60\r\nContent-Length: 17\r\n\r\nToo Many Requests", piece);
        REQUIRE(response.has_value());
        CHECK(response->status == 429);
        CHECK(response->retry_after() == std::chrono::seconds(60));
        CHECK(response->body == "Too Many Requests");
    }
}

TEST_CASE("the client takes a body that ends with the connection", "[http]") {
    const auto response = answer_to("HTTP/1.0 200 OK\r\n\r\nto the end", 3);
    REQUIRE(response.has_value());
    CHECK(response->body == "to the end");
}

TEST_CASE("the client does not gather what is too long", "[http]") {
    const std::string long_header = "HTTP/1.1 200 OK\r\nX: " + std::string(1000, 'x');
    CHECK(answer_to(long_header, 7).error() == http::errc::header_too_long);
    const std::string announced = "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n";
    CHECK(answer_to(announced, 7).error() == http::errc::body_too_long);
    const std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK(answer_to(chunks + "20\r\n" + std::string(32, 'x') + "\r\n1\r\n", 7).error() == http::errc::body_too_long);
}

TEST_CASE("the client tells a hang-up and garbage from an answer", "[http]") {
    CHECK(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 5).error() == http::errc::incomplete);
    CHECK(answer_to("HTTP/1.1 200", 5).error() == http::errc::incomplete);
    CHECK(answer_to("* OK IMAP ready\r\n\r\n", 5).error() == http::errc::malformed);
}

TEST_CASE("the client sends nothing of a request that cannot be sent", "[http]") {
    Shard shard;
    ScriptedStream stream({});
    http::Request request;
    request.headers = {{"X", "a\r\nb"}};
    const auto response = shard.result_of(http::call(stream, std::move(request), limits, pace));
    CHECK(response.error() == http::errc::bad_argument);
    CHECK(stream.written().empty());
}
