#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "engine/tokens/refresh_plan.hpp"

using namespace tokens;
using std::chrono::seconds;

TEST_CASE("a token is refreshed well before its end, at most a third of its life ahead", "[tokens][hostile-46]") {
    struct Row {
        std::optional<seconds> expires_in;
        double spread;
        seconds life, refreshed_after;
    };
    const auto row = GENERATE(values<Row>({
        {seconds(3600), 0.0, seconds(3600), seconds(3000)},
        {seconds(3600), 1.0, seconds(3600), seconds(2700)},
        {seconds(5400), 0.5, seconds(5400), seconds(4650)},
        {seconds(600), 0.0, seconds(600), seconds(467)},
        {seconds(600), 1.0, seconds(600), seconds(401)},
        {seconds(9), 1.0, seconds(9), seconds(6)},
        {seconds(1), 1.0, seconds(1), seconds(1)},
        {seconds(0), 0.0, seconds(300), seconds(234)},
        {seconds(-5), 0.0, seconds(300), seconds(234)},
        {std::nullopt, 0.0, seconds(300), seconds(234)},
        {seconds(9'000'000'000'000), 0.0, seconds(100'800), seconds(100'200)},
    }));
    const WallTime asked{seconds(1'700'000'000)};
    const auto planned = lifetime_of(asked, row.expires_in, row.spread);
    CHECK(planned.expires_at - asked == row.life);
    CHECK(planned.refresh_at - asked == row.refreshed_after);
}

TEST_CASE("an answer of the token endpoint means what its status, error, suberror and Retry-After say",
          "[tokens][hostile-46]") {
    struct Row {
        int status;
        bool has_token;
        const char* error;
        const char* suberror;
        std::optional<seconds> retry_after;
        Meaning meaning;
        seconds wait;
    };
    constexpr auto none = std::nullopt;
    const auto row = GENERATE_COPY(values<Row>({
        {200, true, "", "", none, Meaning::usable, seconds(0)},
        {201, true, "", "", seconds(9), Meaning::usable, seconds(0)},
        // A page of a captive portal, an empty body, no connection.
        {200, false, "", "", none, Meaning::retry, seconds(3)},
        {204, false, "", "", none, Meaning::retry, seconds(3)},
        {302, false, "", "", none, Meaning::retry, seconds(3)},
        {0, false, "", "", none, Meaning::retry, seconds(3)},
        {403, false, "", "", none, Meaning::retry, seconds(3)},
        {404, false, "", "", none, Meaning::retry, seconds(3)},
        {408, false, "invalid_grant", "", none, Meaning::retry, seconds(3)},
        // Throttling and trouble never harm a grant, whatever the body claims.
        {429, false, "", "", none, Meaning::retry, seconds(3)},
        {429, false, "", "", seconds(60), Meaning::retry, seconds(60)},
        {429, false, "invalid_grant", "", none, Meaning::retry, seconds(3)},
        {429, false, "", "", seconds(0), Meaning::retry, seconds(1)},
        {429, false, "", "", seconds(-7), Meaning::retry, seconds(1)},
        {429, false, "", "", seconds(999'999), Meaning::retry, seconds(3600)},
        {500, false, "invalid_grant", "", none, Meaning::retry, seconds(3)},
        {503, false, "temporarily_unavailable", "", seconds(7), Meaning::retry, seconds(7)},
        {500, true, "", "", none, Meaning::retry, seconds(3)},
        {400, false, "server_error", "", none, Meaning::retry, seconds(3)},
        {400, false, "temporarily_unavailable", "", none, Meaning::retry, seconds(3)},
        {400, false, "invalid_grant", "", seconds(60), Meaning::retry, seconds(60)},
        // The grant is dead.
        {400, false, "invalid_grant", "", none, Meaning::consent_needed, seconds(0)},
        {400, false, "invalid_grant", "bad_token", none, Meaning::consent_needed, seconds(0)},
        {400, false, "invalid_grant", "token_expired", none, Meaning::consent_needed, seconds(0)},
        {400, false, "invalid_grant", "user_password_expired", none, Meaning::consent_needed, seconds(0)},
        {400, false, "invalid_grant", "something_new", none, Meaning::consent_needed, seconds(0)},
        {400, false, "interaction_required", "basic_action", none, Meaning::consent_needed, seconds(0)},
        {400, false, "consent_required", "consent_required", none, Meaning::consent_needed, seconds(0)},
        {400, false, "login_required", "", none, Meaning::consent_needed, seconds(0)},
        // Signing in again would not help.
        {400, false, "invalid_grant", "message_only", none, Meaning::operator_must_act, seconds(900)},
        {400, false, "interaction_required", "additional_action", none, Meaning::operator_must_act, seconds(900)},
        {400, false, "invalid_grant", "client_mismatch", none, Meaning::operator_must_act, seconds(900)},
        {401, false, "invalid_client", "", none, Meaning::operator_must_act, seconds(900)},
        {400, false, "unauthorized_client", "", none, Meaning::operator_must_act, seconds(900)},
        {400, false, "invalid_scope", "", none, Meaning::operator_must_act, seconds(900)},
        {400, false, "invalid_request", "", none, Meaning::operator_must_act, seconds(900)},
        {400, false, "unsupported_grant_type", "", none, Meaning::operator_must_act, seconds(900)},
        {403, false, "never_heard_of", "", none, Meaning::operator_must_act, seconds(900)},
    }));
    const Answer answer{.status = row.status,
                        .has_token = row.has_token,
                        .error = row.error,
                        .suberror = row.suberror,
                        .retry_after = row.retry_after};
    CAPTURE(row.status, row.error, row.suberror);
    const auto decision = decision_of(answer, 0, 0.0);
    CHECK(words_of(decision.meaning) == words_of(row.meaning));
    CHECK(decision.wait == row.wait);
}

TEST_CASE("pauses double up to ten minutes and are spread", "[tokens]") {
    CHECK(pause_after(1, 1.0) == seconds(5));
    CHECK(pause_after(2, 1.0) == seconds(10));
    CHECK(pause_after(4, 1.0) == seconds(40));
    CHECK(pause_after(8, 1.0) == seconds(600));
    CHECK(pause_after(4'000'000'000, 1.0) == seconds(600));
    for (std::uint32_t failures = 1; failures < 20; ++failures) {
        const auto least = pause_after(failures, 0.0), most = pause_after(failures, 1.0);
        CHECK(least >= most / 2);
        CHECK(least < most);
    }
}

TEST_CASE("a refused token is refreshed once, then somebody is at fault", "[tokens]") {
    const Refusal fresh_grant{};
    CHECK(ruling_on(fresh_grant) == Ruling::refresh);
    const Refusal refused_again{.since_forced_refresh = seconds(3)};
    CHECK(ruling_on(refused_again) == Ruling::park);
    const Refusal others_get_in{.since_forced_refresh = seconds(3), .since_accepted = seconds(1)};
    CHECK(ruling_on(others_get_in) == Ruling::ignore);
    const Refusal revoked_after_use{.since_forced_refresh = seconds(4000), .since_accepted = seconds(3000)};
    CHECK(ruling_on(revoked_after_use) == Ruling::refresh);
    const Refusal password{.can_refresh = false};
    CHECK(ruling_on(password) == Ruling::park);
    const Refusal password_of_others{.can_refresh = false, .since_accepted = seconds(5)};
    CHECK(ruling_on(password_of_others) == Ruling::ignore);
    const Refusal password_changed{.can_refresh = false, .since_accepted = seconds(700)};
    CHECK(ruling_on(password_changed) == Ruling::park);
}

TEST_CASE("ten thousand grants that end in the same minute are refreshed over minutes, none of them late",
          "[tokens][hostile-48]") {
    std::mt19937 random(4711);
    std::uniform_real_distribution<double> fraction(0, 1);
    std::map<std::int64_t, int> in_step;  // of ten seconds
    const WallTime begin{seconds(1'700'000'000)};
    WallTime first = WallTime::max(), last{};
    for (int grant = 0; grant < 10'000; ++grant) {
        const auto asked_at = begin + std::chrono::milliseconds(static_cast<std::int64_t>(fraction(random) * 60'000));
        const auto life = lifetime_of(asked_at, seconds(3600), fraction(random));
        CHECK(life.refresh_at + seconds(600) <= life.expires_at);
        CHECK(life.refresh_at > asked_at + seconds(1800));
        first = std::min(first, life.refresh_at);
        last = std::max(last, life.refresh_at);
        ++in_step[(life.refresh_at - begin) / seconds(10)];
    }
    CHECK(last - first >= seconds(300));
    for (const auto& [step, grants] : in_step) CHECK(grants <= 10'000 * 10 / 300 * 3 / 2);
}
