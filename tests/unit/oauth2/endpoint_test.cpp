#include "protocols/oauth2/endpoint.hpp"

#include "protocols/http/errc.hpp"
#include "protocols/net/errc.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/unit/http/fixture.hpp"

namespace {

using support::ScriptedStream;
using Who = ScriptedStream::Turn::Who;

/// Answers every call with one scripted connection, or with an error.
class ScriptedDialer final : public net::Dialer {
public:
    explicit ScriptedDialer(std::vector<ScriptedStream::Turn> turns) : turns_(std::move(turns)) {}
    awaitable<Result<std::unique_ptr<net::Stream>>> dial(net::Dial to) override {
        dialled = std::move(to);
        if (turns_.empty()) co_return net::errc::refused;
        const bool much = !turns_.empty() && turns_.back().bytes.size() > 64 * 1024;
        std::unique_ptr<net::Stream> stream = std::make_unique<ScriptedStream>(turns_, much ? 8192 : 9);
        co_return stream;
    }
    std::optional<net::Dial> dialled;

private:
    std::vector<ScriptedStream::Turn> turns_;
};

struct Asked {
    Result<oauth2::Answer> answer;
    std::optional<net::Dial> dialled;
};

Asked ask(std::string url, std::vector<ScriptedStream::Turn> turns, std::string authorization = {}) {
    http_test::Shard shard;
    SystemRandom random;
    ScriptedDialer dialer(std::move(turns));
    Seams seams{shard.timers, random, dialer};
    oauth2::Post post{.form = Secret("grant_type=refresh_token"), .authorization = Secret(std::move(authorization))};
    auto answer = shard.result_of(oauth2::ask(seams, nullptr, std::move(url), std::move(post), http_test::soon));
    return {std::move(answer), dialer.dialled};
}

const std::string asked =
    "POST /contoso/token HTTP/1.1\r\nHost: login.example:8443\r\nConnection: close\r\nContent-Length: 24\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n\r\ngrant_type=refresh_token";
const std::string url = "https://login.example:8443/contoso/token";

std::string with_length(std::string_view status, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

}  // namespace

TEST_CASE("the form goes to the endpoint over TLS, and the grant comes back", "[oauth2]") {
    const auto [answer, dialled] = ask(
        url, {{Who::client, asked}, {Who::server, with_length("200 OK", R"({"access_token":"t","expires_in":"60"})")}});
    REQUIRE(answer.has_value());
    REQUIRE(std::holds_alternative<oauth2::Grant>(*answer));
    CHECK(std::get<oauth2::Grant>(*answer).access_token.reveal() == "t");
    REQUIRE(dialled);
    CHECK(dialled->host == "login.example");
    CHECK(dialled->port == 8443);
    CHECK(dialled->security == net::Security::implicit_tls);
    CHECK(dialled->within == http_test::soon);
}

TEST_CASE("a secret in a header goes with the form", "[oauth2]") {
    const std::string with_header =
        "POST /contoso/token HTTP/1.1\r\nHost: login.example:8443\r\nConnection: close\r\nContent-Length: 24\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"
        "Authorization: Basic YXBwOnM=\r\n\r\ngrant_type=refresh_token";
    const auto [answer, dialled] =
        ask(url, {{Who::client, with_header}, {Who::server, with_length("200 OK", R"({"access_token":"t"})")}},
            "Basic YXBwOnM=");
    REQUIRE(answer.has_value());
    CHECK(std::holds_alternative<oauth2::Grant>(*answer));
}

TEST_CASE("throttling keeps its Retry-After whatever the body is", "[oauth2][hostile-46]") {
    const auto [answer, dialled] =
        ask(url,
            {{Who::client, asked},
             {Who::server, "HTTP/1.1 429 Too Many\r\nRetry-After: 60\r\nContent-Length: 17\r\n\r\nToo Many Requests"}});
    REQUIRE(answer.has_value());
    const auto& refusal = std::get<oauth2::Refusal>(*answer);
    CHECK(refusal.http_status == 429);
    CHECK(refusal.retry_after == std::chrono::seconds(60));
}

TEST_CASE("a redirect is a refusal, not a place to take secrets to", "[oauth2][hostile-46]") {
    const auto [answer, dialled] = ask(
        url, {{Who::client, asked},
              {Who::server, "HTTP/1.1 307 Elsewhere\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"}});
    REQUIRE(answer.has_value());
    CHECK(std::get<oauth2::Refusal>(*answer).http_status == 307);
}

TEST_CASE("a huge answer is not gathered", "[oauth2][hostile-46]") {
    const auto [announced, first] =
        ask(url, {{Who::client, asked}, {Who::server, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n{"}});
    CHECK(announced.error() == http::errc::body_too_long);
    const std::string endless = "HTTP/1.1 200 OK\r\n\r\n" + std::string(oauth2::answer_bytes_max + 1, ' ');
    const auto [unannounced, second] = ask(url, {{Who::client, asked}, {Who::server, endless}});
    CHECK(unannounced.error() == http::errc::body_too_long);
}

TEST_CASE("an answer that trickles in ends with the time for the whole of it", "[oauth2][hostile-46]") {
    for (const char* some : {"HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":"}) {
        const auto [answer, dialled] =
            ask(url, {{Who::client, asked}, {Who::server, some}, {Who::time}, {Who::server, "\"t\"}"}});
        CHECK(answer.error() == net::errc::timed_out);
    }
}

TEST_CASE("no answer is an error", "[oauth2][hostile-46]") {
    CHECK(ask(url, {}).answer.error() == net::errc::refused);
    const auto [cut, first] = ask(url, {{Who::client, asked}, {Who::server, "HTTP/1.1 200 OK\r\nContent-Len"}});
    CHECK(cut.error() == http::errc::incomplete);
    const auto [silent, second] = ask(url, {{Who::client, asked}});
    CHECK(silent.error() == http::errc::incomplete);
}

TEST_CASE("a form is never sent without TLS, nor to what is no URL", "[oauth2]") {
    const auto plain = ask("http://login.example/token", {{Who::client, asked}});
    CHECK(plain.answer.error() == http::errc::not_https);
    CHECK_FALSE(plain.dialled.has_value());
    CHECK(ask("login.example", {{Who::client, asked}}).answer.error() == http::errc::bad_url);
}
