#include <catch2/catch.hpp>

#include "engine/retriever/verdict.hpp"
#include "protocols/imap/errc.hpp"
#include "protocols/net/errc.hpp"

using namespace std::chrono_literals;
using retriever::Ended;
using retriever::next_after;
using retriever::Phase;

namespace {

Ended ended(Ended::How how, std::chrono::milliseconds survived = 0ms) {
    Ended end;
    end.how = how;
    end.survived = survived;
    return end;
}

imap::Answer no(std::string code, std::string text) {
    imap::Answer answer;
    answer.status = imap::Status::no;
    answer.code = std::move(code);
    answer.text = std::move(text);
    return answer;
}

}  // namespace

TEST_CASE("failures double the delay up to a bound, and only survival resets them", "[retriever]") {
    std::uint32_t failures = 0;
    auto before = 0ms;
    for (int i = 0; i < 9; ++i) {
        const auto next = next_after(ended(Ended::How::connection), failures, 0.5);
        CHECK(next.phase == Phase::waiting);
        CHECK(next.after > before);
        CHECK(next.failures == failures + 1);
        before = next.after;
        failures = next.failures;
    }
    CHECK(next_after(ended(Ended::How::connection), 40, 0.999).after <= 450s);
    CHECK(next_after(ended(Ended::How::connection, 59s), 5, 0.5).failures == 6);
    CHECK(next_after(ended(Ended::How::connection, 61s), 5, 0.5).failures == 1);
}

TEST_CASE("a session that ended with its token comes back at once, but a loop of them backs off", "[retriever]") {
    const auto normal = next_after(ended(Ended::How::token_expired, 3600s), 0, 0.9);
    CHECK(normal.after < 1s);
    CHECK(normal.failures == 0);
    std::uint32_t failures = 0;
    for (int i = 0; i < 12; ++i) failures = next_after(ended(Ended::How::token_expired), failures, 0.5).failures;
    CHECK(next_after(ended(Ended::How::token_expired), failures, 0.5).after >= 5min);
}

TEST_CASE("a pause that the provider asks for is kept, within reason", "[retriever]") {
    auto throttled = ended(Ended::How::throttled);
    throttled.pause = 92415ms;
    CHECK(next_after(throttled, 0, 0).after == 92415ms);
    CHECK(next_after(throttled, 0, 0.99).after > 92415ms);
    throttled.pause = std::chrono::hours(48);
    CHECK(next_after(throttled, 0, 0).after == 30min);
}

TEST_CASE("what only a person can mend says so and is tried again slowly", "[retriever]") {
    auto refused = ended(Ended::How::login_refused);
    refused.person_needed = true;
    const auto next = next_after(refused, 3, 0.5);
    CHECK(next.phase == Phase::needs_help);
    CHECK(next.after >= 1min);
    CHECK(next_after(refused, 30, 0.99).after <= 23min);
}

TEST_CASE("the server's words decide how a session ended", "[retriever]") {
    struct Row {
        const char* words;
        Ended::How how;
    };
    const std::vector<Row> rows{
        {"Session invalidated - AccessTokenExpired", Ended::How::token_expired},
        {"Request is throttled. Suggested Backoff Time: 92415 milliseconds", Ended::How::throttled},
        {"Connection closed. 14", Ended::How::connection},
        {"Server Unavailable. 15", Ended::How::connection},
    };
    for (const auto& row : rows) {
        CAPTURE(row.words);
        const auto end = retriever::ended_by(imap::errc::bye, row.words);
        CHECK(end.how == row.how);
        CHECK(end.reason.find(row.words) != std::string::npos);
    }
    CHECK(retriever::ended_by(imap::errc::bye, rows[1].words).pause == 92415ms);
    CHECK(retriever::ended_by(net::errc::truncated, "").how == Ended::How::connection);

    const auto refused = retriever::ended_by(no("AUTHENTICATIONFAILED", "Invalid credentials (Failure)"),
                                             Ended::How::login_refused, "the log-in as desk@contoso.com");
    CHECK(refused.how == Ended::How::login_refused);
    CHECK(refused.reason ==
          "the log-in as desk@contoso.com was refused: [AUTHENTICATIONFAILED] Invalid credentials (Failure)");
    CHECK(
        retriever::ended_by(no("", "User is authenticated but not connected."), Ended::How::folder, "x").person_needed);
}

TEST_CASE("verdict: what POP3 servers say about the account", "[retriever][pop3]") {
    struct Row {
        const char* code;
        const char* text;
        Ended::How how;
        std::chrono::milliseconds pause;
    };
    const Row rows[] = {
        {"", "Authentication failure: unknown user name or bad password.", Ended::How::login_refused, 0ms},
        {"AUTH", "Username and password not accepted.", Ended::How::login_refused, 0ms},
        {"IN-USE", "locked", Ended::How::connection, 1min},
        {"LOGIN-DELAY", "too soon", Ended::How::connection, 5min},
        {"SYS/TEMP", "later", Ended::How::connection, 0ms},
        {"SYS/TEMP", "Too many simultaneous connections", Ended::How::throttled, 2min},
        {"SYS/PERM", "ask somebody", Ended::How::folder, 0ms},
        {"", "Request is throttled. Suggested Backoff Time: 92415 milliseconds", Ended::How::throttled, 92415ms},
        {"", "Session expired, please login again.", Ended::How::token_expired, 0ms},
    };
    for (const auto& row : rows) {
        CAPTURE(row.code, row.text);
        pop3::Answer answer;
        answer.accepted = false;
        answer.code = row.code;
        answer.text = row.text;
        answer.challenge = "{}";
        const auto end = retriever::ended_by(answer, Ended::How::login_refused, "the log-in as desk");
        CHECK(end.how == row.how);
        CHECK(end.pause == row.pause);
        CHECK(end.person_needed == (end.how == Ended::How::folder));
        CHECK(end.reason.find("the log-in as desk was refused: ") == 0);
        CHECK(end.reason.find(row.text) != std::string::npos);
        CHECK(end.reason.find("({})") != std::string::npos);
    }
}
