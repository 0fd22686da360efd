#include "protocols/oauth2/device.hpp"

#include <catch2/catch.hpp>

using namespace oauth2;
using std::chrono::seconds;
using What = PollStep::What;

namespace {

Refusal refusal_of(int status, std::string_view body) {
    const auto answer = read_device_answer(status, body, std::nullopt);
    REQUIRE(std::holds_alternative<Refusal>(answer));
    return std::get<Refusal>(answer);
}

DeviceCode code_of(std::string_view body) {
    const auto answer = read_device_answer(200, body, std::nullopt);
    REQUIRE(std::holds_alternative<DeviceCode>(answer));
    return std::get<DeviceCode>(answer);
}

std::string body_with(std::string_view name, std::string_view value) {
    std::string body =
        R"({"device_code":"D","user_code":"ABC-DEF","verification_uri":"https://m.test/device","expires_in":900)";
    const std::string key = '"' + std::string(name) + "\":";
    const auto at = body.find(key);
    if (at == std::string::npos) return body + ',' + key + std::string(value) + '}';
    const auto end = std::min(body.find(',', at), body.size());
    return body.replace(at + key.size(), end - at - key.size(), value) + '}';
}

}  // namespace

TEST_CASE("oauth2: a device code is asked for with client and scope", "[oauth2]") {
    DeviceRequest request;
    request.client_id = "app";
    request.scope = "a b";
    CHECK(form_of(request).reveal() == "client_id=app&scope=a+b");
    request.client_secret = Secret("s");
    request.scope.clear();
    CHECK(form_of(request).reveal() == "client_id=app&client_secret=s");
}

TEST_CASE("oauth2: a device answer is read with all its parts", "[oauth2]") {
    const auto code = code_of(
        R"({"user_code":"FZ8Q 2XYZ","device_code":"FABC","verification_uri":"https://microsoft.com/devicelogin",
            "verification_uri_complete":"https://a.test/?user_code=F","expires_in":"900","interval":7,"message":"To sign in"})");
    CHECK(code.device_code.reveal() == "FABC");
    CHECK(code.user_code == "FZ8Q 2XYZ");
    CHECK(code.verification_uri == "https://microsoft.com/devicelogin");
    CHECK(code.verification_uri_complete == "https://a.test/?user_code=F");
    CHECK(code.message == "To sign in");
    CHECK(code.expires_in == seconds(900));
    CHECK(code.interval == seconds(7));

    const auto least =
        code_of(R"({"user_code":"F","device_code":"D","verification_url":"https://g.test/","expires_in":5})");
    CHECK(least.verification_uri == "https://g.test/");
    CHECK(least.interval == seconds(5));
    CHECK(least.verification_uri_complete.empty());
}

TEST_CASE("oauth2: numbers of a device answer are bounded", "[oauth2]") {
    CHECK(code_of(body_with("interval", "0")).interval == seconds(1));
    CHECK(code_of(body_with("interval", "-4")).interval == seconds(1));
    CHECK(code_of(body_with("interval", "1e9")).interval == seconds(300));
    CHECK(code_of(body_with("interval", "null")).interval == seconds(5));
    CHECK(code_of(body_with("expires_in", "1e300")).expires_in == std::chrono::hours(24));
}

TEST_CASE("oauth2: a device answer that lacks a part, or leads elsewhere than to https, is refused", "[oauth2]") {
    const auto [name, value] =
        GENERATE(table<std::string, std::string>({{"device_code", "\"\""},
                                                  {"device_code", "7"},
                                                  {"device_code", "\"a b\""},
                                                  {"user_code", "\"\""},
                                                  {"user_code", "\"A\\u0000B\""},
                                                  {"user_code", "\"A\\nB\""},
                                                  {"verification_uri", "\"\""},
                                                  {"verification_uri", "\"http://m.test/\""},
                                                  {"verification_uri", "\"javascript:alert(1)\""},
                                                  {"verification_uri", "\"https://u:p@m.test/\""},
                                                  {"verification_uri", "\"https://m.test/ x\""},
                                                  {"expires_in", "0"},
                                                  {"expires_in", "-1"},
                                                  {"expires_in", "\"soon\""},
                                                  {"user_code\":\"EVIL-1\",\"user_code", "\"F\""}}));
    const auto refusal = refusal_of(200, body_with(name, value));
    CAPTURE(name, value);
    CHECK(refusal.error.empty());
    CHECK_FALSE(refusal.error_description.empty());
    CHECK(refusal.error_description.find("EVIL") == std::string::npos);
}

TEST_CASE("oauth2: a complete page of a device answer that is not https is dropped", "[oauth2]") {
    const auto code = code_of(body_with("verification_uri_complete", "\"javascript:alert(1)\""));
    CHECK(code.verification_uri_complete.empty());
}

TEST_CASE("oauth2: a refused device request says why", "[oauth2]") {
    const auto refusal = refusal_of(400, R"({"error":"unauthorized_client","error_codes":[700016]})");
    CHECK(refusal.error == "unauthorized_client");
    CHECK(refusal.error_codes == std::vector<std::int64_t>{700016});
    CHECK(refusal_of(503, "<html>").error_description == "<html>");
    CHECK(refusal_of(200, "<html>").error.empty());
    const std::string body = body_with("interval", "5");
    for (std::size_t kept = 0; kept < body.size(); ++kept) refusal_of(200, std::string_view(body).substr(0, kept));
}

TEST_CASE("oauth2: a poll is followed by what its answer means", "[oauth2]") {
    struct Row {
        int status;
        const char* error;
        std::optional<seconds> retry_after;
        What what;
        seconds wait, interval;
    };
    constexpr auto none = std::nullopt;
    const auto row = GENERATE_COPY(values<Row>({
        {400, "authorization_pending", none, What::ask_again, seconds(5), seconds(5)},
        {401, "authorization_pending", none, What::ask_again, seconds(5), seconds(5)},
        {400, "slow_down", none, What::ask_again, seconds(10), seconds(10)},
        {403, "slow_down", none, What::ask_again, seconds(10), seconds(10)},
        {400, "expired_token", none, What::expired, seconds(0), seconds(5)},
        {400, "access_denied", none, What::declined, seconds(0), seconds(5)},
        {400, "authorization_declined", none, What::declined, seconds(0), seconds(5)},
        {400, "bad_verification_code", none, What::give_up, seconds(0), seconds(5)},
        {400, "invalid_grant", none, What::give_up, seconds(0), seconds(5)},
        {401, "invalid_client", none, What::give_up, seconds(0), seconds(5)},
        {400, "never_heard_of", none, What::give_up, seconds(0), seconds(5)},
        // Says nothing about the sign-in: less often, RFC 8628 §3.5.
        {429, "", none, What::ask_again, seconds(10), seconds(10)},
        {429, "access_denied", none, What::ask_again, seconds(10), seconds(10)},
        {429, "", seconds(30), What::ask_again, seconds(30), seconds(10)},
        {429, "", seconds(3), What::ask_again, seconds(10), seconds(10)},
        {429, "", seconds(-3), What::ask_again, seconds(10), seconds(10)},
        {429, "", seconds(899), What::ask_again, seconds(899), seconds(10)},
        {429, "", seconds(900), What::expired, seconds(0), seconds(10)},
        {500, "expired_token", none, What::ask_again, seconds(10), seconds(10)},
        {503, "", none, What::ask_again, seconds(10), seconds(10)},
        {400, "server_error", none, What::ask_again, seconds(10), seconds(10)},
        {400, "temporarily_unavailable", none, What::ask_again, seconds(10), seconds(10)},
        {403, "", none, What::ask_again, seconds(10), seconds(10)},
        {200, "", none, What::ask_again, seconds(10), seconds(10)},
    }));
    Refusal refusal;
    refusal.http_status = row.status;
    refusal.error = row.error;
    refusal.retry_after = row.retry_after;
    CAPTURE(row.status, row.error);
    const auto step = after_poll(refusal, seconds(5), seconds(900));
    CHECK(step.what == row.what);
    CHECK(step.wait == row.wait);
    CHECK(step.interval == row.interval);
}

TEST_CASE("oauth2: polling ends with the code, however the endpoint answers", "[oauth2]") {
    Grant grant;
    CHECK(after_poll(grant, seconds(5), seconds(1)).what == What::redeem);
    Refusal pending;
    pending.http_status = 400;
    pending.error = "authorization_pending";
    CHECK(after_poll(pending, seconds(5), seconds(6)).what == What::ask_again);
    CHECK(after_poll(pending, seconds(5), seconds(5)).what == What::expired);
    CHECK(after_poll(pending, seconds(5), seconds(-1)).what == What::expired);
    CHECK(after_no_answer(seconds(40), seconds(900)).wait == seconds(60));
    CHECK(after_no_answer(seconds(100), seconds(900)).wait == seconds(100));
    const auto refused = GENERATE(as<std::string>(), "authorization_pending", "slow_down", "server_error");
    pending.error = refused;
    seconds left(900), interval(5);
    int polls = 0;
    for (auto step = after_poll(pending, interval, left); step.what == What::ask_again; ++polls) {
        left -= step.wait;
        step = after_poll(pending, step.interval, left);
    }
    CHECK(left > seconds(0));
    CHECK(polls < 180);
}
