/// Every row of what Entra's and Google's token endpoints refuse with: response in, decision and advice out.

#include "engine/tokens/advice.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "engine/tokens/refresh_plan.hpp"

using namespace tokens;
using Owner = Advice::Owner;

namespace {

struct Row {
    std::vector<std::int64_t> numbers;
    const char* error;  // that the numbers come with
    const char* suberror;
    Meaning meaning;
    const char* id;
    Owner owner;
    const char* remedy;  // a part of it
};

constexpr auto retry = Meaning::retry, dead = Meaning::consent_needed, wrong = Meaning::operator_must_act;
constexpr auto user = Owner::user, operators = Owner::operators, nobody = Owner::nobody;

std::string entra_body(std::int64_t number, const Row& row) {
    const auto digits = std::to_string(number);
    return R"({"error":")" + std::string(row.error) + R"(","error_description":"AADSTS)" + digits +
           R"(: something. Trace ID: t\r\nCorrelation ID: c","error_codes":[)" + digits + R"(],"suberror":")" +
           row.suberror + "\"}";
}

oauth2::Refusal refusal_of(int status, std::string_view body, std::optional<std::chrono::seconds> retry_after = {}) {
    const auto answer = oauth2::read_answer(status, body, retry_after);
    REQUIRE(std::holds_alternative<oauth2::Refusal>(answer));
    return std::get<oauth2::Refusal>(answer);
}

Decision decided(const oauth2::Refusal& refusal) { return decision_of(answer_of(refusal), 0, 0.0); }

}  // namespace

TEST_CASE("tokens: every number of Entra leads to its decision and its advice", "[tokens]") {
    const std::vector<Row> rows{
        {{16000, 16003, 50020, 50034, 51004, 50014, 90072},
         "invalid_grant",
         "",
         dead,
         "entra-other-directory",
         user,
         "private window"},
        {{50002, 500021, 500022, 500212, 500213},
         "unauthorized_client",
         "",
         wrong,
         "entra-tenant-restricted",
         operators,
         "security administrator"},
        {{50001, 500011, 650054, 65005, 650056, 650057, 70011, 28002, 28003, 700022, 700023, 901002},
         "invalid_scope",
         "",
         wrong,
         "entra-scope",
         operators,
         "API permissions"},
        {{50003, 50012, 50013, 500133, 700027, 700030},
         "invalid_client",
         "",
         wrong,
         "entra-certificate",
         operators,
         "thumbprint"},
        {{50005, 50097, 50129, 50155, 50187, 53000, 53001, 53002},
         "interaction_required",
         "",
         dead,
         "entra-device-policy",
         operators,
         "compliant device"},
        {{50011, 70004, 900971}, "invalid_client", "", wrong, "entra-redirect", operators, "/oauth/callback"},
        {{500208, 9002332}, "invalid_request", "", wrong, "entra-account-type", user, "right kind"},
        {{50027, 90016, 900384}, "invalid_request", "", wrong, "entra-malformed-token", operators, "report"},
        {{50033, 50087, 50088, 90006, 90012, 90024, 90033, 90090, 70012, 40010, 80001, 80002, 80005, 80014},
         "temporarily_unavailable",
         "",
         retry,
         "entra-passing",
         nobody,
         "wait"},
        {{50049, 50059, 50128, 90002, 90019}, "invalid_request", "", wrong, "entra-tenant-unknown", operators, "cloud"},
        {{50053}, "invalid_grant", "", dead, "entra-locked", operators, "sign-in log"},
        {{50055, 50144}, "invalid_grant", "user_password_expired", dead, "entra-password-expired", user, "change"},
        {{50056, 50064, 50126}, "invalid_grant", "", dead, "entra-password-wrong", user, "password"},
        {{50057}, "invalid_grant", "", dead, "entra-account-disabled", operators, "delegate"},
        {{50058}, "login_required", "", dead, "entra-no-session", user, "prompt"},
        {{50072, 50074, 50076, 50078, 50079, 50158, 50161, 53004, 50125, 53010},
         "interaction_required",
         "basic_action",
         dead,
         "entra-mfa",
         user,
         "second factor"},
        {{50085, 50089, 54005, 70000, 700005, 70008},
         "invalid_grant",
         "bad_token",
         dead,
         "entra-code-spent",
         user,
         "clock"},
        {{50105}, "invalid_grant", "", dead, "entra-not-assigned", operators, "assign"},
        {{50131, 53003, 530032, 530034, 53011, 50132, 50133, 50135},
         "invalid_grant",
         "message_only",
         wrong,
         "entra-conditional-access",
         operators,
         "correlation id"},
        {{530035}, "invalid_grant", "message_only", wrong, "entra-security-defaults", operators, "authorization_code"},
        {{50140, 50199}, "interaction_required", "", dead, "entra-interrupted", user, "browser"},
        {{50143, 81012}, "invalid_grant", "", dead, "entra-other-user", user, "private window"},
        {{50147, 501481, 501491}, "invalid_grant", "", dead, "entra-pkce", user, "same console"},
        {{50173, 700082, 70043}, "invalid_grant", "token_expired", dead, "entra-grant-revoked", user, "authorize"},
        {{700084}, "invalid_grant", "token_expired", dead, "entra-spa-redirect", operators, "web"},
        {{50194, 9001023, 90124, 90130}, "invalid_request", "", wrong, "entra-authority", operators, "tenant's id"},
        {{50196}, "invalid_grant", "", retry, "entra-loop", nobody, "pause"},
        {{50197}, "invalid_grant", "", dead, "entra-two-identities", user, "private window"},
        {{65001, 65004, 90008, 90094, 90095, 700020},
         "consent_required",
         "consent_required",
         dead,
         "entra-consent",
         operators,
         "adminconsent"},
        {{650052}, "invalid_client", "", wrong, "entra-no-subscription", operators, "Exchange Online"},
        {{70001, 700011, 700016, 7000112, 1000031, 90099},
         "unauthorized_client",
         "",
         wrong,
         "entra-application-unknown",
         operators,
         "client_id"},
        {{70002, 7000215}, "invalid_client", "", wrong, "entra-secret-wrong", operators, "not its id"},
        {{7000222}, "invalid_client", "", wrong, "entra-secret-expired", operators, "new secret"},
        {{7000218}, "invalid_client", "", wrong, "entra-secret-missing", operators, "client_secret"},
        {{700025}, "invalid_client", "", wrong, "entra-secret-excess", operators, "leave client_secret out"},
        {{70003, 70005, 700054, 70007}, "unsupported_grant_type", "", wrong, "entra-grant-type", operators, "flow"},
        {{70016, 70018, 70019, 90119, 90120}, "expired_token", "", wrong, "entra-device-code", user, "15 minutes"},
        {{90005, 90014, 900144, 90015, 90023, 9002313, 90056, 900561, 90100, 90101, 90102, 90107, 90117, 90121},
         "invalid_request",
         "",
         wrong,
         "entra-bad-request",
         operators,
         "parameter"},
        {{90038, 90043, 90051, 900382, 900432, 1000104},
         "invalid_request",
         "",
         wrong,
         "entra-other-cloud",
         operators,
         "cloud"},
        {{90055}, "temporarily_unavailable", "", retry, "entra-tenant-throttled", nobody, "wait"},
    };
    std::set<std::int64_t> seen;
    for (const auto& row : rows) {
        for (const auto number : row.numbers) {
            CAPTURE(number);
            CHECK(seen.insert(number).second);
            const auto refusal = refusal_of(400, entra_body(number, row));
            CHECK(words_of(decided(refusal).meaning) == words_of(row.meaning));
            const auto advice = advice_on(refusal);
            CHECK(advice.id == row.id);
            CHECK(word_of(advice.owner) == word_of(row.owner));
            CHECK(advice.remedy.find(row.remedy) != std::string_view::npos);
            CHECK_FALSE(advice.cause.empty());
            // The same from a pasted text, and with the number in one place only.
            oauth2::Refusal pasted;
            pasted.error_description = "failed: aadsts" + std::to_string(number) + ": x";
            CHECK(advice_on(pasted).id == row.id);
            oauth2::Refusal coded = refusal;
            coded.error_description.clear();
            CHECK(advice_on(coded).id == row.id);
        }
    }
    CHECK(seen.size() == 164);
}

TEST_CASE("tokens: whatever the number, a 429 or 5xx never harms a grant, and its advice is to wait", "[tokens]") {
    const Row row{{50173}, "invalid_grant", "bad_token", retry, "", nobody, ""};
    const auto [status, id] =
        GENERATE(table<int, std::string>({{429, "throttled"}, {500, "passing"}, {503, "passing"}}));
    const auto refusal = refusal_of(status, entra_body(50173, row));
    CHECK(words_of(decided(refusal).meaning) == words_of(retry));
    CHECK(advice_on(refusal).id == id);
    CHECK(advice_on(refusal).owner == nobody);
    CHECK(decided(refusal_of(429, "Too Many Requests", std::chrono::seconds(60))).wait == std::chrono::seconds(60));
    CHECK(advice_on(refusal_of(429, "Too Many Requests")).id == "throttled");
}

TEST_CASE("tokens: an unknown number decides nothing, the row of its error does", "[tokens]") {
    struct ByError {
        const char* error;
        const char* suberror;
        int status;
        Meaning meaning;
        const char* id;
        Owner owner;
    };
    const std::vector<ByError> rows{
        {"invalid_grant", "", 400, dead, "sign-in-again", user},
        {"interaction_required", "", 400, dead, "sign-in-again", user},
        {"login_required", "", 400, dead, "sign-in-again", user},
        {"consent_required", "", 400, dead, "consent", operators},
        {"invalid_client", "", 400, wrong, "client", operators},
        {"invalid_client", "", 401, wrong, "client", operators},
        {"unauthorized_client", "", 400, wrong, "client-not-allowed", operators},
        {"invalid_scope", "", 400, wrong, "scope", operators},
        {"invalid_resource", "", 400, wrong, "scope", operators},
        {"unsupported_grant_type", "", 400, wrong, "grant-type", operators},
        {"invalid_request", "", 400, wrong, "bad-request", operators},
        {"server_error", "", 400, retry, "passing", nobody},
        {"temporarily_unavailable", "", 400, retry, "passing", nobody},
        {"server_error", "", 503, retry, "passing", nobody},
        {"invalid_grant", "basic_action", 400, dead, "sign-in-again", user},
        {"invalid_grant", "additional_action", 400, wrong, "entra-outside-action", operators},
        {"invalid_grant", "message_only", 400, wrong, "entra-cannot-be-resolved", operators},
        {"invalid_grant", "consent_required", 400, dead, "entra-consent", operators},
        {"invalid_grant", "user_password_expired", 400, dead, "entra-password-expired", user},
        {"invalid_grant", "bad_token", 400, dead, "sign-in-again", user},
        {"invalid_grant", "token_expired", 400, dead, "sign-in-again", user},
        {"invalid_grant", "protection_policy_required", 400, wrong, "entra-device-policy", operators},
        {"invalid_grant", "client_mismatch", 400, wrong, "entra-client-mismatch", operators},
        {"invalid_grant", "device_authentication_failed", 400, wrong, "entra-device-policy", operators},
        {"never_heard_of", "", 400, wrong, "unknown-error", operators},
    };
    for (const auto& by_error : rows) {
        CAPTURE(by_error.error, by_error.suberror, by_error.status);
        const Row row{{}, by_error.error, by_error.suberror, by_error.meaning, by_error.id, by_error.owner, ""};
        const auto refusal = refusal_of(by_error.status, entra_body(98'765'432, row));
        CHECK(words_of(decided(refusal).meaning) == words_of(by_error.meaning));
        CHECK(advice_on(refusal).id == by_error.id);
        CHECK(word_of(advice_on(refusal).owner) == word_of(by_error.owner));
    }
    CHECK(advice_on(refusal_of(400, R"({"error":"e","error_codes":[0,-1,99999999999999999999]})")).id ==
          "unknown-error");
    CHECK(advice_on(refusal_of(400, R"({"error":"e","error_description":"AADSTS AADSTSx AADSTS99999999999999999999"})"))
              .id == "unknown-error");
}

TEST_CASE("tokens: what Google refuses with leads to its decision and its advice", "[tokens]") {
    struct ByWords {
        int status;
        const char* error;
        const char* text;
        Meaning meaning;
        const char* id;
        Owner owner;
    };
    const std::vector<ByWords> rows{
        {400, "invalid_grant", "Token has been expired or revoked.", dead, "google-grant-revoked", user},
        {400, "invalid_grant", "Bad Request", dead, "google-code-spent", user},
        {400, "invalid_grant", "Malformed auth code.", dead, "google-code-spent", user},
        {400, "invalid_grant", "Invalid JWT: Token must be a short-lived token", dead, "google-clock", operators},
        {400, "invalid_grant", "Invalid email or User ID", dead, "google-account-unknown", operators},
        {400, "invalid_grant", "Invalid grant: account not found", dead, "google-account-unknown", operators},
        {401, "invalid_client", "The OAuth client was not found.", wrong, "google-client-unknown", operators},
        {401, "invalid_client", "Unauthorized", wrong, "google-client-unknown", operators},
        {401, "unauthorized_client",
         "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the "
         "scopes requested.",
         wrong, "google-delegation", operators},
        {400, "redirect_uri_mismatch", "Bad Request", wrong, "google-redirect", operators},
        {403, "access_denied", "", wrong, "declined", user},
        {400, "admin_policy_enforced", "", wrong, "google-admin-policy", operators},
        {403, "org_internal", "", wrong, "google-org-internal", user},
        {403, "disallowed_useragent", "", wrong, "google-browser", user},
        {500, "internal_failure", "", retry, "passing", nobody},
        {400, "internal_failure", "", retry, "passing", nobody},
        {408, "", "", retry, "passing", nobody},
        {429, "", "", retry, "throttled", nobody},
        {504, "", "", retry, "passing", nobody},
    };
    for (const auto& row : rows) {
        CAPTURE(row.status, row.error, row.text);
        const std::string body =
            R"({"error":")" + std::string(row.error) + R"(","error_description":")" + row.text + "\"}";
        const auto refusal = refusal_of(row.status, body);
        CHECK(words_of(decided(refusal).meaning) == words_of(row.meaning));
        CHECK(advice_on(refusal).id == row.id);
        CHECK(word_of(advice_on(refusal).owner) == word_of(row.owner));
    }
}

TEST_CASE("tokens: what is no answer of a token endpoint has its advice, too", "[tokens]") {
    CHECK(advice_on(refusal_of(404, "<html>not found</html>")).id == "not-an-endpoint");
    CHECK(advice_on(refusal_of(302, "")).id == "not-an-endpoint");
    CHECK(advice_on(refusal_of(200, "<html>log in to the hotel</html>")).id == "not-an-endpoint");
    CHECK(advice_on(refusal_of(407, "")).id == "proxy");
    CHECK(advice_on_no_answer().id == "no-answer");
    CHECK(words_of(decision_of(Answer{}, 0, 0).meaning) == words_of(retry));
    oauth2::Refusal text;
    text.error_description = "something nobody knows";
    CHECK(advice_on(text).id == "unknown-error");
    text.error_description = R"({"error": "invalid_grant", "error_description": "Token has been expired or revoked."})";
    CHECK(advice_on(text).id == "google-grant-revoked");
    CHECK(advice_on(refusal_of(400, "<html>400 Bad Request</html>")).id == "not-an-endpoint");
}

TEST_CASE("tokens: an advice reads as sentences", "[tokens]") {
    oauth2::Refusal refusal;
    refusal.error = "access_denied";
    CHECK(tokens::sentences_of(tokens::advice_on(refusal)) ==
          "The sign-in or the consent was declined, or a policy forbids it. Authorize again and accept; if it was "
          "accepted, ask the administrator of the directory.");
}

TEST_CASE("tokens: where no person signs in, a refusal waits for the operator and is repeated", "[tokens]") {
    const auto refusal = refusal_of(400, R"({"error":"invalid_grant","error_description":"Invalid JWT: iat"})");
    const auto decision = without_person(decided(refusal), 0.0);
    CHECK(words_of(decision.meaning) == words_of(wrong));
    CHECK(decision.wait == parked_for);
    CHECK(words_of(without_person(decided(refusal_of(503, "")), 0.0).meaning) == words_of(retry));
}

TEST_CASE("tokens: a client loop is throttling and pauses for a minute at least", "[tokens]") {
    const Row row{{50196}, "invalid_grant", "", retry, "", nobody, ""};
    const auto refusal = refusal_of(400, entra_body(50196, row));
    CHECK(decided(refusal).wait >= std::chrono::seconds(60));
    CHECK(decision_of(answer_of(refusal), 20, 1.0).wait >= std::chrono::seconds(300));
}
