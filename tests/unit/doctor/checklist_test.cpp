/// The doctor's checklist, row by row: what a probe brings back, and what is made of it.

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "engine/config/presets.hpp"
#include "engine/doctor/grant.hpp"
#include "engine/doctor/greeting.hpp"
#include "engine/doctor/lint.hpp"
#include "engine/doctor/login.hpp"
#include "engine/doctor/page.hpp"
#include "engine/doctor/way.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/imap/errc.hpp"

using namespace doctor;
using namespace std::chrono_literals;
using net::errc;

namespace {

const WallTime now(1'790'000'000s);

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::vector<std::string> ids_of(const std::vector<Finding>& findings) {
    std::vector<std::string> ids;
    for (const auto& finding : findings) ids.push_back(finding.id);
    return ids;
}

const Finding& one(const std::vector<Finding>& findings, std::string_view id) {
    const auto found =
        std::find_if(findings.begin(), findings.end(), [id](const Finding& each) { return each.id == id; });
    CAPTURE(id, ids_of(findings));
    REQUIRE(found != findings.end());
    return *found;
}

config::Provider microsoft() { return config::preset("microsoft365", "51a7e000-0000-4000-8000-00000000babe"); }

config::Credential credential(config::Flow flow = config::Flow::authorization_code) {
    config::Credential credential;
    credential.id = "desk";
    credential.provider = "m365";
    credential.user = "desk@contoso.com";
    credential.flow = flow;
    credential.client_id = "11111111-2222-3333-4444-555555555555";
    return credential;
}

Patient patient() {
    Patient patient;
    patient.mailbox.id = "support";
    patient.mailbox.address = patient.mailbox.login = "support@contoso.com";
    patient.mailbox.credential = "desk";
    patient.mailbox.consumer = "c";
    return patient;
}

net::TlsSurvey good_survey() {
    net::TlsSurvey survey;
    survey.version = "TLSv1.3";
    survey.subject = "CN = outlook.com";
    survey.issuer = "C = US, O = DigiCert Inc, CN = DigiCert Cloud Services CA-1";
    survey.names = {"*.office365.com", "outlook.office.com"};
    survey.not_before = now - 24h;
    survey.not_after = now + 24h * 100;
    return survey;
}

WayFacts good_way() {
    WayFacts facts;
    facts.place = {"outlook.office365.com", 993, ""};
    facts.v4 = {"192.0.2.1", {}};
    facts.v6 = {"2001:db8::1", {}};
    facts.tls.emplace(good_survey());
    return facts;
}

Judged judged(const WayFacts& facts) {
    WayExpected expected;
    expected.maker = Maker::microsoft;
    expected.provider = "m365";
    expected.now = now;
    return judge(facts, expected);
}

}  // namespace

TEST_CASE("doctor: the way to a server (D01 to D08, D10)", "[doctor]") {
    struct Row {
        const char* row;
        const char* id;
        const char* got;  // a part
        void (*make)(WayFacts&);
        bool passable = false;
    };
    const Row rows[]{
        {"D01", "dns-not-found", "no such name", [](WayFacts& way) { way.name_fault = errc::name_not_found; }},
        {"D01", "dns-failed", "no usable answer", [](WayFacts& way) { way.name_fault = errc::resolver_failed; }},
        {"D01", "dns-failed", "timed out", [](WayFacts& way) { way.name_fault = errc::timed_out; }},
        {"D01", "dns-not-found", "--ip-family",
         [](WayFacts& way) {
             way.v4.reset();
             way.v6.reset();
         }},
        {"D02", "tcp-timeout", "192.0.2.1: timed out: no answer in the time allowed; 2001:db8::1: no route",
         [](WayFacts& way) {
             way.v4->fault = errc::timed_out;
             way.v6->fault = errc::unreachable;
         }},
        {"D03", "tcp-refused", "refused",
         [](WayFacts& way) {
             way.v4->fault = errc::refused;
             way.v6.reset();
         }},
        {"D02", "tcp-unreachable", "no route",
         [](WayFacts& way) {
             way.v4->fault = errc::unreachable;
             way.v6.reset();
         }},
        {"D04", "ipv6-broken", "192.0.2.1: connected; 2001:db8::1: timed out",
         [](WayFacts& way) { way.v6->fault = errc::timed_out; }, true},
        {"D04", "ipv4-broken", "192.0.2.1: connection refused", [](WayFacts& way) { way.v4->fault = errc::refused; },
         true},
        {"D05", "tls-too-old", "older than 1.2", [](WayFacts& way) { way.tls.emplace(errc::tls_too_old); }},
        {"D05", "tls-too-old", "TLSv1.1",
         [](WayFacts& way) {
             (*way.tls)->version = "TLSv1.1";
             (*way.tls)->flaws = {errc::tls_too_old};
         }},
        {"D03", "tls-failed", "not TLS", [](WayFacts& way) { way.tls.emplace(errc::tls_handshake_failed); }},
        {"D06", "certificate-unknown-issuer", "issued by CN = Contoso Proxy",
         [](WayFacts& way) {
             (*way.tls)->issuer = "CN = Contoso Proxy";
             (*way.tls)->flaws = {errc::certificate_unknown_ca};
         }},
        {"D06", "certificate-unknown-issuer", "",
         [](WayFacts& way) { (*way.tls)->flaws = {errc::certificate_self_signed}; }},
        {"D06", "tls-inspected", "Contoso Proxy", [](WayFacts& way) { (*way.tls)->issuer = "CN = Contoso Proxy"; },
         true},
        {"D07", "certificate-wrong-name", "*.office365.com",
         [](WayFacts& way) { (*way.tls)->flaws = {errc::certificate_wrong_host}; }},
        {"D08", "certificate-expired", "valid from",
         [](WayFacts& way) { (*way.tls)->flaws = {errc::certificate_expired}; }},
        {"D08", "certificate-not-yet-valid", "valid from",
         [](WayFacts& way) { (*way.tls)->flaws = {errc::certificate_not_yet_valid}; }},
        {"D07", "certificate-bad", "", [](WayFacts& way) { (*way.tls)->flaws = {errc::certificate_bad}; }},
        {"-", "certificate-ends-soon", "", [](WayFacts& way) { (*way.tls)->not_after = now + 24h * 13; }, true},
        {"-", "ca-file-unreadable", "", [](WayFacts& way) { way.tls.emplace(errc::ca_file_unreadable); }},
        {"-", "tcp-broken", "reset", [](WayFacts& way) { way.tls.emplace(errc::reset); }},
        {"D10", "proxy-login", "login",
         [](WayFacts& way) {
             way.proxied = true;
             way.proxy = {"outlook.office365.com", errc::proxy_wants_login};
         }},
        {"D10", "proxy-refused", "refused",
         [](WayFacts& way) {
             way.proxied = true;
             way.proxy = {"outlook.office365.com", errc::proxy_refused};
         }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.row, row.id);
        auto facts = good_way();
        row.make(facts);
        const auto judged = ::judged(facts);
        const auto& finding = one(judged.findings, row.id);
        CHECK(holds(finding.got, row.got));
        CHECK(finding.subject == Subject{Subject::Kind::host, "outlook.office365.com:993"});
        CHECK_FALSE(finding.did.empty());
        CHECK_FALSE(finding.remedy.empty());
        CHECK_FALSE(holds(finding.remedy, "HOST"));
        CHECK((!holds(finding.remedy, "getent") || holds(finding.remedy, "getent ahosts outlook.office365.com")));
        CHECK(judged.passable == row.passable);
        CHECK((finding.severity == Severity::fault) != row.passable);
    }
    const auto well = judged(good_way());
    CHECK(well.passable);
    CHECK(ids_of(well.findings) == std::vector<std::string>{"way"});
    auto without_v6 = good_way();  // a machine without IPv6 is nothing to speak of
    without_v6.v6->fault = errc::unreachable;
    CHECK(ids_of(judged(without_v6).findings) == std::vector<std::string>{"way"});
    auto own = good_way();  // whoever names his authorities has his own
    own.place.ca_file = "/etc/ca.pem";
    (*own.tls)->issuer = "CN = Contoso";
    CHECK(ids_of(judged(own).findings) == std::vector<std::string>{"way"});
    auto twice = good_way();
    (*twice.tls)->flaws = {errc::certificate_unknown_ca, errc::certificate_wrong_host};
    CHECK(judged(twice).findings.size() == 2);
}

TEST_CASE("doctor: who answers at a mail host (D09, D55)", "[doctor]") {
    GreetingFacts facts;
    facts.place = {"outlook.office365.com", 993, ""};
    facts.text = "The Microsoft Exchange IMAP4 service is ready. [abc]";
    facts.capabilities = {"IMAP4rev1", "AUTH=XOAUTH2", "SASL-IR"};
    GreetingExpected expected;
    expected.maker = Maker::microsoft;
    expected.tokens = true;
    CHECK(judge(facts, expected).passable);

    auto foreign = facts;
    foreign.text = "Contoso mail proxy ready";
    CHECK_FALSE(judge(foreign, expected).passable);
    CHECK(holds(one(judge(foreign, expected).findings, "greeting-foreign").got, "Contoso mail proxy ready"));
    expected.maker = Maker::google;
    one(judge(facts, expected).findings, "greeting-foreign");
    expected.maker = Maker::other;
    CHECK(judge(foreign, expected).passable);

    auto plain = facts;
    plain.capabilities = {"IMAP4rev1", "AUTH=PLAIN"};
    one(judge(plain, expected).findings, "no-mechanism");
    plain.capabilities = {"IMAP4rev1", "AUTH=OAUTHBEARER"};
    CHECK(ids_of(judge(plain, expected).findings) == std::vector<std::string>{"greeting"});
    expected.passwords = true;
    plain.capabilities = {"IMAP4rev1", "AUTH=XOAUTH2", "LOGINDISABLED"};
    one(judge(plain, expected).findings, "no-mechanism");

    const std::pair<error_code, const char*> faults[]{{imap::errc::malformed_greeting, "greeting-missing"},
                                                      {imap::errc::preauth_refused, "preauth"},
                                                      {imap::errc::bye, "greeting-bye"},
                                                      {errc::timed_out, "tcp-timeout"},
                                                      {errc::truncated, "tcp-broken"}};
    for (const auto& [fault, id] : faults) {
        CAPTURE(id);
        auto broken = facts;
        broken.fault = fault;
        broken.text = "too busy";
        CHECK_FALSE(judge(broken, expected).passable);
        CHECK(holds(one(judge(broken, expected).findings, id).got, "too busy"));
    }
}

TEST_CASE("doctor: the identity provider's pages, and the clock beside theirs (D08, D10, D13)", "[doctor]") {
    auto provider = microsoft();
    provider.id = "m365";
    const auto pages = pages_of(provider);
    REQUIRE(pages.size() == 1);
    CHECK(
        pages.front().url ==
        "https://login.microsoftonline.com/51a7e000-0000-4000-8000-00000000babe/v2.0/.well-known/openid-configuration");
    const auto google = pages_of(config::preset("gmail", ""));
    REQUIRE(google.size() == 2);
    CHECK(google[0].url == "https://accounts.google.com/.well-known/openid-configuration");
    CHECK(google[1].url == "https://oauth2.googleapis.com/token");
    CHECK(pages_of(config::Provider{}).empty());

    PageFacts good;
    good.place = {"login.microsoftonline.com", 443, ""};
    good.status = 200;
    good.content_type = "application/json";
    good.body = fmt::format(R"({{"token_endpoint":"{}"}})", provider.token_url);
    good.asked_at = now;
    good.answered_at = now + 1s;
    good.date = now;
    const auto& page = pages.front();
    CHECK(judge(page, good).passable);
    CHECK(ids_of(judge(page, good).findings) == std::vector<std::string>{"clock", "page"});

    struct Row {
        const char* row;
        const char* id;
        void (*make)(PageFacts&);
    };
    const Row rows[]{
        {"D08", "clock-off", [](PageFacts& facts) { facts.date = now - 90s; }},
        {"D08", "clock-off", [](PageFacts& facts) { facts.date = now + 90s; }},
        {"D08", "clock-wrong", [](PageFacts& facts) { facts.date = now - 10min; }},
        {"D08", "clock-wrong", [](PageFacts& facts) { facts.date = now + 2h; }},
        {"D10", "proxy-login", [](PageFacts& facts) { facts.status = 407; }},
        {"D10", "tcp-timeout", [](PageFacts& facts) { facts.fault = errc::timed_out; }},
        {"D10", "page-foreign", [](PageFacts& facts) { facts.body = "<html>Please accept the terms</html>"; }},
        {"D10", "page-foreign", [](PageFacts& facts) { facts.status = 302; }},
        {"D33", "page-failing", [](PageFacts& facts) { facts.status = 429; }},
        {"D63", "page-failing", [](PageFacts& facts) { facts.status = 503; }},
        {"D13", "entra-tenant-unknown",
         [](PageFacts& facts) {
             facts.status = 400;
             facts.body = R"({"error":"invalid_tenant","error_description":"AADSTS90002: Tenant 'x' not found."})";
         }},
        {"D13", "discovery-differs",
         [](PageFacts& facts) { facts.body = R"({"token_endpoint":"https://elsewhere.example/token"})"; }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.row, row.id);
        auto facts = good;
        row.make(facts);
        const auto findings = judge(page, facts).findings;
        CHECK(one(findings, row.id).severity >= Severity::warning);
        if (row.id == std::string_view("clock-wrong")) CHECK(one(findings, row.id).severity == Severity::fault);
    }
    auto ahead = good;
    ahead.date = now - 10min;
    CHECK(holds(one(judge(page, ahead).findings, "clock-wrong").got, "10 minutes ahead"));
    auto slow = good;  // the answer took long: that is no skew
    slow.date = now + 100s;
    slow.answered_at = now + 120s;
    one(judge(page, slow).findings, "clock");
    auto by_domain = good;  // Entra writes its id where the domain was asked for
    by_domain.body = R"({"token_endpoint":"https://login.microsoftonline.com/0000/oauth2/v2.0/token"})";
    CHECK(ids_of(judge(page, by_domain).findings) == std::vector<std::string>{"clock", "page"});
}

namespace {

GrantExpected expected_grant(config::Flow flow = config::Flow::authorization_code) {
    GrantExpected expected;
    expected.credential = credential(flow);
    expected.provider = microsoft();
    expected.provider.id = "m365";
    expected.redirect_uri = "https://console.contoso.com/oauth/callback";
    expected.now = now;
    return expected;
}

GrantFacts good_grant() {
    GrantFacts facts;
    facts.token.emplace();
    facts.token->secret = Secret("canary-token");
    facts.token->expires_at = now + 1h;
    facts.claims.emplace();
    facts.claims->audience = "https://outlook.office.com";
    facts.claims->tenant = "51a7e000-0000-4000-8000-00000000babe";
    facts.claims->names = {"Desk@contoso.com"};
    facts.claims->scopes = {"IMAP.AccessAsUser.All", "SMTP.Send"};
    facts.claims->issued_at = now - 1min;
    facts.grant.has_refresh_token = true;
    facts.grant.refresh_token_at = now - 24h;
    return facts;
}

}  // namespace

TEST_CASE("doctor: why there is no token (D11 to D34, D72 to D74)", "[doctor]") {
    struct Row {
        const char* row;
        const char* reason;
        const char* id;
        const char* remedy;  // a part
    };
    const Row rows[]{
        {"D11", "AADSTS50011: The redirect URI does not match", "entra-redirect",
         "https://console.contoso.com/oauth/callback"},
        {"D13", "AADSTS700016: Application was not found", "entra-application-unknown", "client_id"},
        {"D13", "AADSTS90002: Tenant not found", "entra-tenant-unknown", "tenant"},
        {"D13", "AADSTS50059: No tenant-identifying information found", "entra-tenant-unknown", "tenant"},
        {"D14", "AADSTS50194: not configured as a multi-tenant application", "entra-authority", "tenant's id"},
        {"D15", "AADSTS65001: has not consented", "entra-consent",
         "https://login.microsoftonline.com/51a7e000-0000-4000-8000-00000000babe/adminconsent?client_id="
         "11111111-2222-3333-4444-555555555555"},
        {"D15", "AADSTS90094: admin consent", "entra-consent", "adminconsent"},
        {"D15", "AADSTS90095: admin consent", "entra-consent", "adminconsent"},
        {"D15", "AADSTS65004: declined", "entra-consent", "adminconsent"},
        {"D16", "AADSTS50105: not assigned", "entra-not-assigned", "assign"},
        {"D17", "AADSTS50020: not in tenant", "entra-other-directory", "rohrpost authorize desk"},
        {"D17", "AADSTS50034: not in directory", "entra-other-directory", "private window"},
        {"D17", "AADSTS16000: other tenant", "entra-other-directory", "private window"},
        {"D18", "the provider gave a token of somebody else than desk@contoso.com: x", "wrong-identity",
         "rohrpost authorize desk, in a private window, signed in as desk@contoso.com"},
        {"D19", "AADSTS50057: The user account is disabled.", "entra-account-disabled", "delegate"},
        {"D20", "AADSTS50076: multi-factor", "entra-mfa", "second factor"},
        {"D20", "AADSTS50079: enroll", "entra-mfa", "rohrpost authorize desk"},
        {"D20", "AADSTS50158: external", "entra-mfa", "second factor"},
        {"D21", "AADSTS53003: blocked", "entra-conditional-access", "correlation id"},
        {"D21", "AADSTS530032: blocked", "entra-conditional-access", "correlation id"},
        {"D21", "AADSTS53000: device", "entra-device-policy", "compliant device"},
        {"D22", "AADSTS50053: locked", "entra-locked", "sign-in log"},
        {"D23", "AADSTS50055: expired", "entra-password-expired", "change the password"},
        {"D23", "AADSTS50126: wrong", "entra-password-wrong", "password"},
        {"D24", "AADSTS7000215: Invalid client secret", "entra-secret-wrong", "not its id"},
        {"D25", "AADSTS7000222: expired secret", "entra-secret-expired", "new secret"},
        {"D26", "AADSTS700027: signature", "entra-certificate", "thumbprint"},
        {"D26", "AADSTS50012: assertion", "entra-certificate", "clock"},
        {"D27", "AADSTS7000218: secret missing", "entra-secret-missing", "client_secret"},
        {"D27", "AADSTS700025: public", "entra-secret-excess", "leave client_secret out"},
        {"D28", "AADSTS70011: scope", "entra-scope", "IMAP.AccessAsUser.All"},
        {"D28", "AADSTS650057: resource", "entra-scope", "IMAP.AccessAsUser.All"},
        {"D28", "AADSTS700022: several", "entra-scope", "one resource"},
        {"D29", "AADSTS50173: revoked", "entra-grant-revoked", "rohrpost authorize desk"},
        {"D30", "AADSTS700082: inactivity", "entra-grant-revoked", "rohrpost authorize desk"},
        {"D30", "AADSTS70008: expired", "entra-code-spent", "rohrpost authorize desk"},
        {"D31", "AADSTS70043: frequency", "entra-grant-revoked", "sign-in frequency"},
        {"D32", "AADSTS700084: SPA", "entra-spa-redirect", "web"},
        {"D33", "AADSTS50196: loop", "entra-loop", "second program"},
        {"D33", "asking login.microsoftonline.com for a token of desk: HTTP 429: Too Many Requests", "throttled",
         "wait"},
        {"D34", "the provider gave no refresh token: the scopes lack offline_access", "scope-offline",
         "offline_access"},
        {"D73", "invalid_grant: Token has been expired or revoked.", "google-grant-revoked", "rohrpost authorize desk"},
        {"D74", "unauthorized_client: Client is unauthorized to retrieve access tokens using this method",
         "google-delegation", "24 hours"},
        {"-", "credential desk has no refresh token: authorize it, or import one", "no-grant",
         "rohrpost authorize desk"},
        {"-", "cannot read the secrets of desk: x", "grant-unreadable", "--key-file"},
        {"-", "the mail server refuses even a fresh token of desk", "token-refused-fresh", "desk@contoso.com"},
        {"-", "https://login.microsoftonline.com/x/token: the host name does not resolve: no such name",
         "dns-not-found", "name server"},
        {"-", "https://login.microsoftonline.com/x/token: something new", "no-answer", "port 443"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.row, row.reason);
        GrantFacts facts;
        facts.no_token = row.reason;
        const auto judged = judge(facts, expected_grant());
        CHECK_FALSE(judged.passable);
        const auto& finding = one(judged.findings, row.id);
        CHECK(holds(finding.remedy, row.remedy));
        CHECK(holds(finding.got, row.reason));
        CHECK(finding.severity >= Severity::warning);
        CHECK(finding.subject.name == "desk");
    }
    GrantFacts testing;  // D72: exactly seven days after the sign-in
    testing.no_token = "invalid_grant: Token has been expired or revoked.";
    testing.grant.signed_in_at = now - 24h * 7 - 1h;
    auto expected = expected_grant();
    expected.provider = config::preset("gmail", "");
    one(judge(testing, expected).findings, "google-testing");
    testing.grant.signed_in_at = now - 24h * 20;
    one(judge(testing, expected).findings, "google-grant-revoked");
    GrantFacts late;
    late.late = true;
    one(judge(late, expected_grant()).findings, "token-late");
}

TEST_CASE("doctor: what a grant and its token are for (D08, D18, D34 to D37)", "[doctor]") {
    const auto well = judge(good_grant(), expected_grant());
    CHECK(well.passable);
    CHECK(ids_of(well.findings) == std::vector<std::string>{"token", "identity", "grant"});
    for (const auto& finding : well.findings) CHECK_FALSE(holds(finding.got, "canary"));

    struct Row {
        const char* row;
        const char* id;
        bool passable;
        void (*make)(GrantFacts&, GrantExpected&);
    };
    const Row rows[]{
        {"D18", "wrong-identity", false,
         [](GrantFacts& facts, GrantExpected&) { facts.claims->names = {"operator@contoso.com"}; }},
        {"D18", "wrong-identity", false,
         [](GrantFacts& facts, GrantExpected&) {
             facts.grant.owner = {"t", "o", "operator@contoso.com"};
         }},
        {"D17", "wrong-tenant", false, [](GrantFacts& facts, GrantExpected&) { facts.claims->tenant = "another"; }},
        {"D17", "wrong-tenant", false,
         [](GrantFacts& facts, GrantExpected&) {
             facts.grant.owner = {"another", "o", "desk@contoso.com"};
         }},
        {"-", "identity-unproven", true, [](GrantFacts& facts, GrantExpected&) { facts.claims.reset(); }},
        {"D08", "clock-wrong", false, [](GrantFacts& facts, GrantExpected&) { facts.claims->issued_at = now + 10min; }},
        {"D08", "clock-off", true, [](GrantFacts& facts, GrantExpected&) { facts.claims->issued_at = now + 2min; }},
        {"D34", "scope-offline", true,
         [](GrantFacts& facts, GrantExpected&) { facts.grant.has_refresh_token = false; }},
        {"D35", "scope-missing", false,
         [](GrantFacts& facts, GrantExpected&) { facts.claims->scopes = {"SMTP.Send"}; }},
        {"D35", "scope-missing", false,
         [](GrantFacts& facts, GrantExpected& expected) {
             expected.provider = config::preset("gmail", "");
             facts.claims.reset();
             facts.grant.scope = "openid email";
         }},
        {"D36", "token-audience", false,
         [](GrantFacts& facts, GrantExpected&) { facts.claims->audience = "https://graph.microsoft.com"; }},
        {"D36", "token-audience", false,
         [](GrantFacts& facts, GrantExpected&) { facts.claims->audience = "00000003-0000-0000-c000-000000000000"; }},
        {"D37", "roles-missing", false,
         [](GrantFacts& facts, GrantExpected& expected) {
             expected.credential.flow = config::Flow::client_credentials;
             facts.claims->application = true;
         }},
        {"D30", "grant-idle", true,
         [](GrantFacts& facts, GrantExpected&) { facts.grant.refresh_token_at = now - 24h * 80; }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.row, row.id);
        auto facts = good_grant();
        auto expected = expected_grant();
        row.make(facts, expected);
        const auto judged = judge(facts, expected);
        one(judged.findings, row.id);
        CHECK(judged.passable == row.passable);
    }
    auto application = good_grant();
    application.claims->roles = {"IMAP.AccessAsApp"};
    application.claims->application = true;
    CHECK(judge(application, expected_grant(config::Flow::client_credentials)).passable);
    auto password = good_grant();
    password.token->kind = tokens::Token::Kind::password;
    CHECK(ids_of(judge(password, expected_grant(config::Flow::password)).findings) ==
          std::vector<std::string>{"token"});
}

TEST_CASE("doctor: what of a credential ends is told 60 days before, and a fault once it has (D25, D26, D30)",
          "[doctor]") {
    using std::chrono::days;
    struct Row {
        const char* part;
        void (*make)(GrantFacts&, GrantExpected&, WallTime end);
        const char* ends;
        const char* ended;
        const char* remedy;  // of both
    };
    const Row rows[]{
        {"client secret",
         [](GrantFacts&, GrantExpected& expected, WallTime end) {
             expected.credential.client_secret_expires = std::chrono::ceil<days>(end);
         },
         "client-secret-ends", "client-secret-ended", "registration"},
        {"certificate", [](GrantFacts& facts, GrantExpected&, WallTime end) { facts.grant.ends.certificate = end; },
         "client-certificate-ends", "client-certificate-ended", "registration"},
        {"refresh token",
         [](GrantFacts& facts, GrantExpected&, WallTime end) {
             facts.grant.ends.refresh_token_used_at = end - days(90);
         },
         "refresh-token-ends", "refresh-token-ended", "rohrpost authorize"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.part);
        const auto ending = [&row](days left, bool with_token = true) {
            auto facts = with_token ? good_grant() : GrantFacts();
            if (!with_token) facts.no_token = "HTTP 503";
            auto expected = expected_grant();
            row.make(facts, expected, now + left);
            auto judged = judge(facts, expected);
            CHECK(judged.passable == with_token);  // the log-in is tried all the same
            return std::move(judged.findings);
        };
        const auto later = ids_of(ending(days(62)));
        CHECK(std::find(later.begin(), later.end(), row.ends) == later.end());
        for (const auto& soon : {ending(days(58)), ending(days(58), false)}) {
            const auto& finding = one(soon, row.ends);
            CHECK(finding.severity == Severity::warning);
            CHECK(finding.subject == Subject{Subject::Kind::credential, "desk"});
            CHECK(holds(finding.got, "ends 2026-"));
            CHECK((holds(finding.got, "in 58 days") || holds(finding.got, "in 59 days")));
            CHECK(holds(finding.remedy, row.remedy));
        }
        const auto ended = ending(days(-3));
        const auto& over = one(ended, row.ended);
        CHECK(over.severity == Severity::fault);
        CHECK(holds(over.got, "ended 2026-"));
        CHECK(holds(over.got, " ago"));
        CHECK(holds(over.remedy, row.remedy));
    }
}

namespace {

struct LoginCase {
    Patient patient = ::patient();
    config::Credential credential = ::credential();
    config::Provider provider = microsoft();
    std::optional<Claims> claims = good_grant().claims;
    LoginFacts facts;

    LoginCase() {
        facts.greeting = "The Microsoft Exchange IMAP4 service is ready.";
        facts.mechanism = "XOAUTH2";
    }
    std::vector<Finding> findings() const {
        return judge(facts, LoginExpected{patient, credential, provider, claims, now}).findings;
    }
    void refused(imap::Status status, std::string text, std::string code = "") {
        facts.login = imap::Answer{status, std::move(code), std::move(text)};
    }
    void opened(std::string folder, imap::Answer answer, std::uint32_t messages = 0) {
        facts.login = imap::Answer{};
        facts.folders.push_back({std::move(folder), std::move(answer), messages});
    }
};

}  // namespace

TEST_CASE("doctor: log-in and folders, with the administrator's exact command (D38 to D44, D68 to D71)", "[doctor]") {
    struct Row {
        const char* row;
        const char* id;
        const char* remedy;
        void (*make)(LoginCase&);
    };
    constexpr auto no = imap::Status::no, bad = imap::Status::bad;
    const Row rows[]{
        {"D38", "imap-login-refused", "Set-CASMailbox desk@contoso.com -ImapEnabled $true",
         [](LoginCase& c) { c.refused(no, "AUTHENTICATE failed."); }},
        {"D39", "imap-app-refused",
         "New-ServicePrincipal -AppId 11111111-2222-3333-4444-555555555555 -ObjectId 0b1ec7\n"
         "Add-MailboxPermission -Identity support@contoso.com -User 0b1ec7 -AccessRights FullAccess",
         [](LoginCase& c) {
             c.credential.flow = config::Flow::client_credentials;
             c.claims->object_id = "0b1ec7";
             c.refused(no, "AUTHENTICATE failed.");
         }},
        {"D40", "not-connected",
         "Add-MailboxPermission -Identity support@contoso.com -User desk@contoso.com -AccessRights FullAccess "
         "-InheritanceType All",
         [](LoginCase& c) { c.refused(bad, "User is authenticated but not connected."); }},
        {"D40", "not-connected-own", "Set-CASMailbox support@contoso.com -ImapEnabled $true",
         [](LoginCase& c) {
             c.credential.user = "Support@contoso.com";
             c.opened("INBOX", {bad, "", "User is authenticated but not connected."});
         }},
        {"D40", "app-not-connected", "-User 0b1ec7 ",
         [](LoginCase& c) {
             c.credential.flow = config::Flow::client_credentials;
             c.claims->object_id = "0b1ec7";
             c.refused(bad, "User is authenticated but not connected.");
         }},
        {"D41", "not-connected-now", "passes within minutes",
         [](LoginCase& c) {
             c.patient.last_proof = now - 10min;
             c.refused(bad, "User is authenticated but not connected.");
         }},
        {"D42", "imap-throttled", "wait",
         [](LoginCase& c) {
             c.opened("INBOX", {bad, "", "Request is throttled. Suggested Backoff Time: 92415 milliseconds"});
         }},
        {"D43", "session-token-expired", "",
         [](LoginCase& c) {
             c.facts.fault = imap::errc::bye;
             c.facts.bye = "Session invalidated - AccessTokenExpired";
             c.facts.during = "opened INBOX (EXAMINE)";
         }},
        {"D44", "server-unavailable", "Outlook",
         [](LoginCase& c) {
             c.opened("Orders", {no, "", "Server Unavailable. 15"});
         }},
        {"D51", "imap-password-login", "rohrpost authorize desk", [](LoginCase& c) { c.refused(no, "LOGIN failed."); }},
        {"-", "gmail-login-refused", "desk@contoso.com",
         [](LoginCase& c) {
             c.provider = config::preset("gmail", "");
             c.facts.sasl_error = R"({"status":"400"})";
             c.refused(no, "Invalid credentials (Failure)", "AUTHENTICATIONFAILED");
         }},
        {"D68", "gmail-too-many-connections", "desk@contoso.com",
         [](LoginCase& c) {
             c.provider = config::preset("gmail", "");
             c.refused(no, "Too many simultaneous connections. (Failure)", "ALERT");
         }},
        {"D69", "gmail-over-quota", "24 hours",
         [](LoginCase& c) {
             c.provider = config::preset("gmail", "");
             c.refused(no, "Account exceeded command or bandwidth limits. (Failure)", "OVERQUOTA");
         }},
        {"D70", "gmail-lookup-failed", "End User Access",
         [](LoginCase& c) {
             c.provider = config::preset("gmail", "");
             c.refused(no, "Lookup failed g3-v6mb12345");
         }},
        {"D70", "gmail-imap-off", "End User Access",
         [](LoginCase& c) {
             c.provider = config::preset("gmail", "");
             c.refused(no, "IMAP access is disabled for your domain.");
         }},
        {"D71", "gmail-web-login", "desk@contoso.com",
         [](LoginCase& c) {
             c.provider = config::preset("gmail", "");
             c.refused(no, "Web login required.", "WEBALERT https://accounts.google.com/x");
         }},
        {"-", "imap-authentication-failed", "credential desk",
         [](LoginCase& c) {
             c.provider = config::Provider{};
             c.facts.greeting = "Dovecot ready.";
             c.refused(no, "Authentication failed.", "AUTHENTICATIONFAILED");
         }},
        {"-", "login-refused", "credential desk", [](LoginCase& c) { c.refused(no, "something new"); }},
        {"-", "folder-missing", "folders",
         [](LoginCase& c) {
             c.opened("Orders", {no, "NONEXISTENT", "Mailbox doesn't exist: Orders"});
         }},
        {"-", "folder-refused", "Orders",
         [](LoginCase& c) {
             c.opened("Orders", {no, "", "something new"});
         }},
        {"-", "tcp-broken", "",
         [](LoginCase& c) {
             c.facts.fault = errc::reset;
             c.facts.during = "opened INBOX (EXAMINE)";
         }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.row, row.id);
        LoginCase login;
        row.make(login);
        const auto findings = login.findings();
        const auto& finding = one(findings, row.id);
        CHECK(holds(finding.remedy, row.remedy));
        CHECK(finding.subject == Subject{Subject::Kind::mailbox, "support"});
        CHECK_FALSE(finding.did.empty());
        CHECK_FALSE(finding.got.empty());
        for (const auto* stand_in : {"MAILBOX", "USER", "CLIENT_ID", "OBJECT_ID"})
            CHECK_FALSE(holds(finding.remedy, stand_in));
        CHECK(std::none_of(findings.begin(), findings.end(), [](const Finding& each) { return each.id == "mailbox"; }));
    }
    LoginCase challenged;
    challenged.facts.sasl_error = R"({"status":"400"})";
    challenged.refused(no, "AUTHENTICATE failed.");
    CHECK(holds(one(challenged.findings(), "imap-login-refused").got, R"(before that: {"status":"400"})"));
    LoginCase well;
    well.opened("INBOX", {}, 12);
    well.opened("Orders", {}, 1);
    CHECK(one(well.findings(), "mailbox").got == "INBOX: 12 messages, Orders: 1 message");
    LoginCase sim;  // whose server it is, is known by its greeting, too
    sim.provider = config::Provider{};
    sim.refused(no, "AUTHENTICATE failed.");
    one(sim.findings(), "imap-login-refused");
}

namespace {

Plan plan_with(config::Provider provider, config::Credential credential) {
    Plan plan;
    provider.id = credential.provider;
    plan.providers[provider.id] = std::move(provider);
    plan.credentials[credential.id] = std::move(credential);
    plan.patients.push_back(patient());
    return plan;
}

}  // namespace

TEST_CASE("doctor: what configuration, ledger and daemon show by themselves (D01, D03, D05, D11, D28, D34 to D36, D64)",
          "[doctor]") {
    struct Row {
        const char* row;
        const char* id;
        void (*make)(Plan&);
    };
    const Row rows[]{
        {"D01", "host-retired",
         [](Plan& plan) { plan.providers["m365"].imap = config::Host{.host = "imap-emea.outlook.com", .port = 993}; }},
        {"D05", "host-legacy",
         [](Plan& plan) {
             plan.providers["m365"].imap = config::Host{.host = "imap-legacy.office365.com", .port = 993};
         }},
        {"D03", "port-wrong",
         [](Plan& plan) { plan.providers["m365"].imap = config::Host{.host = "outlook.office365.com", .port = 143}; }},
        {"D36", "scope-resource",
         [](Plan& plan) {
             plan.providers["m365"].scopes = {"https://graph.microsoft.com/IMAP.AccessAsUser.All", "offline_access"};
         }},
        {"D28", "scope-mixed",
         [](Plan& plan) {
             plan.providers["m365"].scopes = {"https://outlook.office.com/IMAP.AccessAsUser.All",
                                              "https://graph.microsoft.com/User.Read", "offline_access"};
         }},
        {"D34", "scope-offline",
         [](Plan& plan) { plan.providers["m365"].scopes = {"https://outlook.office.com/IMAP.AccessAsUser.All"}; }},
        {"D35", "scope-mail",
         [](Plan& plan) {
             plan.providers["m365"].scopes = {"https://outlook.office.com/SMTP.Send", "offline_access"};
         }},
        {"D35", "scope-mail",
         [](Plan& plan) {
             plan.providers["m365"] = config::preset("gmail", "");
             plan.providers["m365"].id = "m365";
             plan.providers["m365"].scopes = {"openid", "email"};
         }},
        {"-", "paused", [](Plan& plan) { plan.patients[0].paused = "moving"; }},
        {"-", "not-served",
         [](Plan& plan) {
             plan.patients[0].state = "needs help";
             plan.patients[0].reason = "the log-in was refused";
         }},
        {"-", "folder-frozen",
         [](Plan& plan) {
             plan.patients[0].folders.push_back({"INBOX", "UIDVALIDITY changed", 0, ""});
         }},
        {"D64", "messages-stuck",
         [](Plan& plan) {
             plan.patients[0].folders.push_back({"INBOX", "", 3, "no body came"});
         }},
        {"-", "configuration",
         [](Plan& plan) { plan.faults.add("credential \"desk\" imported earlier.client_secret", "missing"); }},
        {"-", "configuration",
         [](Plan& plan) { plan.faults.add("mailbox \"support\" imported earlier.protocol", "needs pop3"); }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.row, row.id);
        auto plan = plan_with(microsoft(), credential());
        row.make(plan);
        const auto findings = lint(plan);
        CHECK_FALSE(one(findings, row.id).got.empty());
    }
    CHECK(lint(plan_with(microsoft(), credential())).empty());
    CHECK(lint(plan_with(config::preset("gmail", ""), credential())).empty());
    auto others = plan_with(microsoft(), credential());  // what nobody asked about is not told
    others.faults.add("credential \"other\" imported earlier.client_secret", "missing");
    CHECK(lint(others).empty());
    auto redirect = plan_with(microsoft(), credential());  // D11
    redirect.redirect_uri = "https://console.contoso.com/oauth/callback";
    CHECK(holds(one(lint(redirect), "redirect").got, "https://console.contoso.com/oauth/callback"));
    CHECK(one(lint(redirect), "redirect").severity == Severity::ok);
    redirect.stray = {.address = "https://services.internal:8025/oauth/callback", .at = now};  // D12
    const auto astray = one(lint(redirect), "callback-astray");
    CHECK(astray.severity == Severity::warning);
    CHECK(astray.subject == Subject{Subject::Kind::host, "console.contoso.com"});
    CHECK(holds(astray.got, "https://services.internal:8025/oauth/callback"));
    CHECK(holds(astray.remedy, "https://console.contoso.com/oauth/callback"));
    redirect.stray->address = redirect.redirect_uri;
    const auto unknown = one(lint(redirect), "sign-in-unknown");
    CHECK(unknown.severity == Severity::note);
    CHECK(holds(unknown.got, "no sign-in waited"));
}

TEST_CASE("doctor: the claims of an access token are read where there are any, and nothing is believed", "[doctor]") {
    const auto jwt = [](std::string_view claims) {
        return base64url_encoded(R"({"alg":"none"})") + '.' + base64url_encoded(claims) + ".c2ln";
    };
    const auto claims = read_claims(jwt(
        R"({"aud":"https://outlook.office.com","tid":"T","oid":"O","appid":"app","upn":"a@b.c","scp":"IMAP.AccessAsUser.All SMTP.Send","roles":["IMAP.AccessAsApp",7],"idtyp":"app","iat":1790000000})"));
    REQUIRE(claims);
    CHECK(claims->audience == "https://outlook.office.com");
    CHECK(claims->tenant == "t");
    CHECK(claims->names == std::vector<std::string>{"a@b.c"});
    CHECK(claims->scopes == std::vector<std::string>{"IMAP.AccessAsUser.All", "SMTP.Send"});
    CHECK(claims->roles == std::vector<std::string>{"IMAP.AccessAsApp"});
    CHECK(claims->application);
    CHECK(claims->issued_at == now);
    for (const auto& opaque : {std::string("ya29.opaque"), std::string(), std::string("a.b.c"), jwt("[]"), jwt("{")}) {
        CHECK_FALSE(read_claims(opaque));
    }
    CHECK(read_claims(jwt(R"({"scp":7,"roles":"x","iat":"soon"})")));
}
