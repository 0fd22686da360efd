#include "protocols/oauth2/response.hpp"

#include <catch2/catch.hpp>
#include <map>

using oauth2::Grant;
using oauth2::read_answer;
using oauth2::Refusal;

namespace {

Refusal refusal_of(int status, std::string_view body) {
    const auto answer = read_answer(status, body, std::nullopt);
    REQUIRE(std::holds_alternative<Refusal>(answer));
    return std::get<Refusal>(answer);
}

}  // namespace

TEST_CASE("a grant is read with all its parts", "[oauth2]") {
    const auto answer = read_answer(
        200,
        R"({"token_type":"Bearer","scope":"IMAP SMTP","expires_in":3599,"ext_expires_in":3599,"access_token":"EwB.a_b",
            "refresh_token":"0.AX","id_token":"e.y.J","unknown":{"deep":[1,2,{"x":null}]}})",
        std::nullopt);
    REQUIRE(std::holds_alternative<Grant>(answer));
    const auto& grant = std::get<Grant>(answer);
    CHECK(grant.access_token.reveal() == "EwB.a_b");
    CHECK(grant.refresh_token->reveal() == "0.AX");
    CHECK(grant.id_token->reveal() == "e.y.J");
    CHECK(grant.expires_in == std::chrono::seconds(3599));
    CHECK(grant.scope == "IMAP SMTP");
    CHECK(grant.token_type == "Bearer");
}

TEST_CASE("a grant needs no more than an access token", "[oauth2]") {
    const auto answer = read_answer(200, "\xEF\xBB\xBF {\"access_token\":\"t\",\"refresh_token\":\"\"}", std::nullopt);
    REQUIRE(std::holds_alternative<Grant>(answer));
    const auto& grant = std::get<Grant>(answer);
    CHECK_FALSE(grant.refresh_token.has_value());
    CHECK_FALSE(grant.id_token.has_value());
    CHECK_FALSE(grant.expires_in.has_value());
}

TEST_CASE("expires_in is read in every form seen, and bounded", "[oauth2][hostile-46]") {
    static constexpr std::int64_t most = 366LL * 24 * 3600;
    static constexpr std::int64_t none = -42;
    const auto [text, seconds] = GENERATE(table<std::string, std::int64_t>({{"3599", 3599},
                                                                            {"\"3599\"", 3599},
                                                                            {"\" 3599 \"", 3599},
                                                                            {"3599.9", 3599},
                                                                            {"0", 0},
                                                                            {"-5", -5},
                                                                            {"\"-5\"", none},
                                                                            {"1e300", most},
                                                                            {"-1e300", -most},
                                                                            {"0e380", none},  // not a number
                                                                            {"9223372036854775807", most},
                                                                            {"-9223372036854775808", -most},
                                                                            {"18446744073709551615", most},
                                                                            {"\"9223372036854775807\"", most},
                                                                            {"\"99999999999999999999\"", none},
                                                                            {"\"soon\"", none},
                                                                            {"\"\"", none},
                                                                            {"\"nan\"", none},
                                                                            {"null", none},
                                                                            {"true", none},
                                                                            {"[3599]", none}}));
    CAPTURE(text);
    const auto answer = read_answer(200, R"({"access_token":"t","expires_in":)" + text + "}", std::nullopt);
    REQUIRE(std::holds_alternative<Grant>(answer));
    const auto& expires_in = std::get<Grant>(answer).expires_in;
    CHECK(expires_in.has_value() == (seconds != none));
    if (expires_in) CHECK(expires_in->count() == seconds);
}

TEST_CASE("a refusal is read with what decisions and people need", "[oauth2]") {
    const auto answer = read_answer(
        400,
        R"({"error":"invalid_grant","error_description":"AADSTS50173: gone.\r\nTrace ID: t","error_codes":[50173,"x",7],
            "timestamp":"2026-11-23 02:02:12Z","trace_id":"t-1","correlation_id":"c-1","suberror":"bad_token"})",
        std::chrono::seconds(60));
    REQUIRE(std::holds_alternative<Refusal>(answer));
    const auto& refusal = std::get<Refusal>(answer);
    CHECK(refusal.http_status == 400);
    CHECK(refusal.error == "invalid_grant");
    CHECK(refusal.suberror == "bad_token");
    CHECK(refusal.error_description == "AADSTS50173: gone.\r\nTrace ID: t");
    CHECK(refusal.error_codes == std::vector<std::int64_t>{50173, 7});
    CHECK(refusal.timestamp == "2026-11-23 02:02:12Z");
    CHECK(refusal.trace_id == "t-1");
    CHECK(refusal.correlation_id == "c-1");
    CHECK(refusal.retry_after == std::chrono::seconds(60));
}

TEST_CASE("what a provider says is one printable line", "[oauth2]") {
    const auto said = [](std::string words) {
        oauth2::Refusal refusal;
        refusal.error_description = std::move(words);
        return oauth2::said_in(refusal);
    };
    CHECK(said("AADSTS65004: User declined.\r\nTrace ID: 1\r\n\r\nTimestamp: 2\r\n") ==
          "AADSTS65004: User declined. Trace ID: 1 Timestamp: 2");
    CHECK(said("\x1b[2J\xff") == "\\x1b[2J\\xff");
    CHECK(said("").empty());
    CHECK(said(std::string(1000, 'x')).size() <= 303);
}

TEST_CASE("whatever is no JSON is a refusal without an error name", "[oauth2][hostile-46]") {
    const auto [status, body] = GENERATE(table<int, std::string>({{429, "Too Many Requests"},
                                                                  {503, "<html>\x01 down</html>"},
                                                                  {500, ""},
                                                                  {302, "moved"},
                                                                  {400, "null"},
                                                                  {400, "[]"},
                                                                  {400, "\"invalid_grant\""},
                                                                  {400, "{\"error\":\"invalid_grant\""},
                                                                  {400, "{\"error\":\"\xff\"}"},
                                                                  {400, "{\"error\":[\"invalid_grant\"]}"}}));
    CAPTURE(status, body);
    const auto refusal = refusal_of(status, body);
    CHECK(refusal.http_status == status);
    CHECK(refusal.error.empty());
    CHECK(refusal.error_description.find('\x01') == std::string::npos);
    if (status == 429) CHECK(refusal.error_description == "Too Many Requests");
}

TEST_CASE("a success without a usable token is a refusal that quotes nothing", "[oauth2][hostile-46]") {
    const std::string body =
        GENERATE(as<std::string>(), "<html>sEcReT</html>", "{\"access_token\":\"sEcReT\"", "{}", "{\"access_token\":7}",
                 "{\"access_token\":\"\"}", "{\"access_token\":\"sEcReT x\"}", "{\"access_token\":\"sEcReT\\u0001\"}",
                 "{\"access_token\":\"sEcReT\\r\\n\"}", "{\"access_token\":\"sEcReT\xc3\xa4\"}",
                 "{\"access_token\":\"sEcReT\",\"token_type\":\"mac\"}", "{\"access_token\":[\"sEcReT\"]}");
    CAPTURE(body);
    const auto refusal = refusal_of(200, body);
    CHECK(refusal.error.empty());
    CHECK_FALSE(refusal.error_description.empty());
    CHECK(refusal.error_description.find("sEcReT") == std::string::npos);
}

TEST_CASE("a token in an answer that names an error, or fails, is not used", "[oauth2][hostile-46]") {
    CHECK(refusal_of(200, R"({"access_token":"t","error":"server_error"})").error == "server_error");
    CHECK(refusal_of(500, R"({"access_token":"t"})").http_status == 500);
}

TEST_CASE("depth, length and number of what is kept are bounded", "[oauth2][hostile-46][hostile-32]") {
    const std::string deep =
        R"({"error":"invalid_grant","x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    CHECK(refusal_of(400, deep).error.empty());
    const std::string large = R"({"error":"invalid_grant","x":")" + std::string(oauth2::answer_bytes_max, 'x') + "\"}";
    CHECK(refusal_of(400, large).error.empty());
    CHECK(refusal_of(400, large).error_description.size() < 400);
    std::string codes = "1";
    for (int i = 0; i < 1000; ++i) codes += ",1";
    const auto refusal = refusal_of(400, R"({"error":"e","error_codes":[)" + codes + R"(],"error_description":")" +
                                             std::string(100'000, 'd') + "\"}");
    CHECK(refusal.error_codes.size() == 16);
    CHECK(refusal.error_description.size() == 4096);
}

TEST_CASE("an answer cut off anywhere is never a grant", "[oauth2]") {
    const std::string body = R"({"token_type":"Bearer","expires_in":3599,"access_token":"abc"})";
    for (std::size_t kept = 0; kept < body.size(); ++kept) {
        CAPTURE(kept);
        CHECK(refusal_of(200, std::string_view(body).substr(0, kept)).error.empty());
    }
}
