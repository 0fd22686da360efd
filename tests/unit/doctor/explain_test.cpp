/// Every text of the tables: pasted in, its row comes out, with what causes it and what helps.

#include "engine/doctor/explain.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "engine/doctor/knowledge.hpp"
#include "engine/tokens/advice.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/imap/errc.hpp"
#include "protocols/net/errc.hpp"
#include "tests/support/places.hpp"

using namespace doctor;
using Is = Explanation::Is;

namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct Row {
    std::string_view text;
    std::string_view id;
    std::string_view cause, remedy;  // a part of each
};

void check(const Row& row) {
    CAPTURE(row.text);
    const auto explanation = explain(row.text);
    CHECK(explanation.is == Is::known);
    CHECK(explanation.id == row.id);
    CHECK(holds(explanation.cause, row.cause));
    CHECK(holds(explanation.remedy, row.remedy));
    CHECK_FALSE(explanation.about.empty());
}

}  // namespace

TEST_CASE("explain: what Exchange Online says over IMAP", "[doctor]") {
    const Row rows[]{
        {"A1 NO AUTHENTICATE failed.", "imap-login-refused", "IMAP is switched off",
         "Set-CASMailbox USER -ImapEnabled $true"},
        {"A1 NO LOGIN failed.", "imap-password-login", "retired", "rohrpost authorize CREDENTIAL"},
        {"A2 BAD User is authenticated but not connected.", "not-connected", "full access is missing",
         "Add-MailboxPermission -Identity MAILBOX -User USER -AccessRights FullAccess -InheritanceType All"},
        {"* BYE Connection closed. 14", "imap-closed-14", "refused again and again", "refusal before it"},
        {"* BYE Connection is closed. 13", "imap-closed-13", "idle or old", ""},
        {"* BYE Session invalidated - AccessTokenExpired", "session-token-expired", "normal end", ""},
        {"A5 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds", "imap-throttled", "budget", "wait"},
        {"A7 NO Server Unavailable. 15", "server-unavailable", "quota", "Outlook"},
        {"Server Unavailable. 15", "server-unavailable", "back end", "wait"},
        {"A9 BAD Command Argument Error. 11", "imap-argument-error", "catch-all", "full"},
        {"A9 NO The specified message set is invalid.", "imap-message-set", "not in the folder", ""},
        {"A9 NO Command received in Invalid state.", "imap-invalid-state", "token has expired", "begins again"},
        {"A9 NO Maximum size of appendable message has been exceeded.", "imap-message-too-large", "larger",
         "MaxReceiveSize"},
        {"TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. Visit "
         "https://aka.ms/popimap_tls.",
         "tls-too-old-client", "TLS 1.2", "legacy"},
        {"Subject: Retrieval using the IMAP4 protocol failed for the following message: 7", "exchange-stand-in",
         "cannot deliver", "another folder and back"},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("explain: what Exchange Online says over POP3", "[doctor]") {
    const Row rows[]{
        {"-ERR Authentication failure: unknown user name or bad password.", "pop3-login-refused", "POP is switched off",
         "Set-CASMailbox USER -PopEnabled $true"},
        {"-ERR Logon failure: unknown user name or bad password.", "pop3-password-login", "retired", "OAuth"},
        {"-ERR Protocol error. Connection is closed. 10", "pop3-line-too-long", "one line", "line of its own"},
        {"-ERR Command is not valid in this state.", "pop3-invalid-state", "this point", "report"},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("explain: what Exchange Online says over SMTP", "[doctor]") {
    const Row rows[]{
        {"535 5.7.3 Authentication unsuccessful [AM0PR01.eurprd01 2026-11-27T00:00:00.000Z 08DE]", "smtp-login-refused",
         "delegate logs in as himself", "submit.login"},
        {"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
         "https://aka.ms/smtp_auth_disabled for more information.",
         "smtp-auth-off-tenant", "organisation", "Set-CASMailbox USER -SmtpClientAuthenticationDisabled $false"},
        {"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
         "smtp-auth-off-mailbox", "this mailbox", "Set-CASMailbox USER -SmtpClientAuthenticationDisabled $false"},
        {"535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "smtp-password-login",
         "password", "OAuth"},
        {"535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
         "smtp-security-defaults", "security defaults", "OAuth"},
        {"535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated "
         "successfully. Contact your administrator.",
         "smtp-policy", "conditional access", "sign-in log"},
        {"535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", "smtp-password-wrong",
         "wrong", "import"},
        {"535 5.7.139 Authentication unsuccessful, federated STS service was unreachable.", "smtp-federation",
         "federation", "administrator"},
        {"535 5.7.139 Authentication unsuccessful, the federated STS URL does not support HTTPS.", "smtp-federation",
         "HTTPS", "administrator"},
        {"501 5.5.127 Invalid XOAUTH2 auth data - Token will expire soon", "smtp-token-ends", "about to end",
         "next token"},
        {"530 5.7.57 Client not authenticated to send mail.", "smtp-not-logged-in", "before the log-in", "relay"},
        {"550 5.7.60 SMTP; Client does not have permissions to send as this sender", "smtp-send-as", "may not send as",
         "Add-RecipientPermission MAILBOX -AccessRights SendAs -Trustee USER"},
        {"554 5.2.252 SendAsDenied; a@contoso.com not allowed to send as b@contoso.com; STOREDRV.Submission.Exception:"
         "SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message",
         "smtp-send-as", "may not send as", "Add-RecipientPermission"},
        {"554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", "smtp-send-as", "",
         ""},
        {"432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more "
         "information.",
         "smtp-too-many-connections", "three", "submit.connections"},
        {"432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "smtp-too-many-connections", "three", ""},
        {"554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", "smtp-daily-limit", "24 hours",
         "held"},
        {"550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
         "smtp-daily-limit", "24 hours", "held"},
        {"550 5.7.232 Your message can't be sent because your trial tenant has exceeded its limit", "smtp-tenant-limit",
         "organisation", "held"},
        {"550 5.7.233 Your message can't be sent because your tenant has exceeded", "smtp-tenant-limit", "", ""},
        {"554 5.2.2 mailbox full; "
         "STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
         "smtp-sent-items-full", "Sent Items", "Set-Mailbox MAILBOX"},
        {"550 5.1.8 Access denied, bad outbound sender", "smtp-sender-blocked", "spam", "unblock"},
        {"550 5.7.501 Access denied, spam abuse detected", "smtp-tenant-banned", "banned", "support"},
        {"550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", "smtp-tenant-banned", "",
         ""},
        {"550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant", "smtp-message-defect", "From",
         ""},
        {"550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal", "smtp-message-defect", "bare line feeds", ""},
        {"554 4.3.2 mailbox busy; STOREDRV.Storage; MapiExceptionMaxObjsExceeded", "smtp-folder-too-full", "million",
         "archive"},
        {"451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS77713)", "smtp-server-busy", "grey",
         "wait"},
        {"451 4.7.650 The mail server has been temporarily rate limited", "smtp-server-busy", "", ""},
        {"452 4.5.3 Too many recipients (AS780090)", "smtp-too-many-recipients", "more recipients", "split"},
        {"421 4.3.2 Service not active", "smtp-passing", "moment", "service health"},
        {"451 4.7.0 Temporary server error. Please try again later. PRX4", "smtp-passing", "", ""},
        {"421 4.4.2 Connection dropped due to SocketError", "smtp-passing", "", ""},
        {"450 4.7.0 Message not proxied", "smtp-passing", "", ""},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("explain: what Gmail says", "[doctor]") {
    const Row rows[]{
        {"A1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "gmail-login-refused",
         "https://mail.google.com/", "login"},
        {"* NO [WEBALERT https://accounts.google.com/x] Web login required.", "gmail-web-login", "suspicious", "open"},
        {"A1 NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 "
         "(Failure)",
         "gmail-web-login", "browser", ""},
        {"A1 NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 "
         "(Failure)",
         "gmail-app-password", "2-step", "OAuth"},
        {"A1 NO Lookup failed g3-v6mb12345", "gmail-lookup-failed", "service account", "Admin console"},
        {"IMAP access is disabled for your domain. Please contact your domain administrator.", "gmail-imap-off",
         "switched off", "End User Access"},
        {"A1 NO [ALERT] Too many simultaneous connections. (Failure)", "gmail-too-many-connections", "15",
         "other mail"},
        {"A4 OK Success [THROTTLED]", "gmail-throttled", "slows", "--poll-interval"},
        {"A4 NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", "gmail-over-quota", "day",
         "24 hours"},
        {"* BYE Session expired, please login again", "gmail-session-expired", "ended with its token", ""},
        {"A4 NO [NONEXISTENT] Unknown Mailbox: [Gmail] (Failure)", "gmail-folder-root", "not a folder", "All Mail"},
        {"535-5.7.8 Username and Password not accepted. Learn more at", "gmail-smtp-refused", "user name",
         "submit.login"},
        {"550 5.4.5 Daily user sending limit exceeded. For more information", "gmail-daily-limit", "24 hours", "held"},
        {"450 4.2.1 Peak SMTP relay limit exceeded for customer.", "gmail-daily-limit", "", ""},
        {"421 4.3.0 Temporary System Problem. Try again later (10)", "gmail-passing", "moment", "wait"},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("explain: what other IMAP servers say", "[doctor]") {
    const Row rows[]{
        {"A1 NO [AUTHENTICATIONFAILED] Authentication failed.", "imap-authentication-failed", "user name", "import"},
        {"A1 NO [AUTHORIZATIONFAILED] not yours", "imap-authorization-failed", "may not use", "right"},
        {"A1 NO [EXPIRED] password expired", "imap-expired", "expired", "renew"},
        {"A1 NO [PRIVACYREQUIRED] TLS first", "imap-privacy-required", "TLS", "993"},
        {"A1 NO [CONTACTADMIN] ask", "imap-contact-admin", "administrator", "ask"},
        {"A1 NO [UNAVAILABLE] LDAP is down", "imap-unavailable", "moment", "wait"},
        {"A1 NO [INUSE] busy", "imap-in-use", "another session", "wait"},
        {"A1 NO [LIMIT] Maximum number of connections from user+IP exceeded", "imap-limit", "limit",
         "mail_max_userip_connections"},
        {"A1 NO [NOPERM] no", "imap-no-permission", "may not open", "right"},
        {"A1 NO [NONEXISTENT] Mailbox doesn't exist: Orders", "folder-missing", "no folder", "folders"},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("explain: the text of every row finds its row, and no earlier one", "[doctor]") {
    std::set<std::string_view> ids;
    for (const auto table : knowledge()) {
        for (const auto& row : table) {
            CAPTURE(row.id);
            CHECK(ids.insert(row.id).second);
            CHECK_FALSE(row.cause.empty());
            CHECK((!row.remedy.empty() || row.severity < Severity::fault));
            for (const auto text : row.texts) {
                if (text.empty()) continue;
                CAPTURE(text);
                std::string said = "x ";
                for (const char c : text) said += c == '*' ? std::string(" … ") : std::string(1, c);
                const auto* found = known_by(said + " y");
                REQUIRE(found != nullptr);
                CHECK(found->id == row.id);
            }
        }
    }
}

TEST_CASE("explain: every finding's id is explained, and stands in docs/check.md", "[doctor]") {
    std::ifstream file(support::source_directory() + "/docs/check.md");
    const std::string page(std::istreambuf_iterator<char>(file), {});
    for (const auto table : knowledge()) {
        for (const auto& row : table) {
            CAPTURE(row.id);
            CHECK(explain(row.id).cause == filled(row.cause, {}));
            CHECK(holds(page, fmt::format("`{}`", row.id)));
        }
    }
}

TEST_CASE("explain: every error of network and IMAP is known by its words", "[doctor]") {
    for (int value = 1; value <= static_cast<int>(net::errc::network_malformed); ++value) {
        const auto error = net::make_error_code(static_cast<net::errc>(value));
        CAPTURE(error.message());
        if (error == net::errc::stopped) continue;  // nobody is told
        CHECK(explain("mailbox=a reason=\"connecting to x:993 failed: " + error.message() + '"').is == Is::known);
    }
    CHECK(explain(imap::make_error_code(imap::errc::preauth_refused).message()).id == "preauth");
    CHECK(explain(imap::make_error_code(imap::errc::malformed_greeting).message()).id == "greeting-missing");
    CHECK(explain(imap::make_error_code(imap::errc::mechanism_not_offered).message()).id == "no-mechanism");
    CHECK(explain(net::make_error_code(net::errc::timed_out).message()).id == "tcp-timeout");
}

TEST_CASE("explain: what identity providers say, by number, by JSON, and by words", "[doctor]") {
    const Row rows[]{
        {"AADSTS50011: The redirect URI does not match", "entra-redirect", "redirect", "{external-url}/oauth/callback"},
        {"AADSTS700016: Application not found in the directory", "entra-application-unknown", "unknown", "client_id"},
        {"AADSTS90002: Tenant 'x' not found.", "entra-tenant-unknown", "no such tenant", "tenant"},
        {"AADSTS50194: Application is not configured as a multi-tenant application.", "entra-authority", "form", "id"},
        {"AADSTS65001: The user or administrator has not consented", "entra-consent", "consent", "adminconsent"},
        {"AADSTS50105: not assigned", "entra-not-assigned", "assigned", "assign"},
        {"AADSTS50020: User account from identity provider", "entra-other-directory", "directory", "private window"},
        {"AADSTS50057: The user account is disabled.", "entra-account-disabled", "shared mailbox", "delegate"},
        {"AADSTS50076: multi-factor", "entra-mfa", "second factor", "authorize"},
        {"AADSTS53003: Access has been blocked by Conditional Access policies.", "entra-conditional-access", "blocks",
         "correlation id"},
        {"AADSTS50053: locked", "entra-locked", "locked", "sign-in log"},
        {"AADSTS50126: Error validating credentials", "entra-password-wrong", "password", "reset"},
        {"AADSTS7000215: Invalid client secret provided.", "entra-secret-wrong", "secret", "not its id"},
        {"AADSTS7000222: The provided client secret keys are expired.", "entra-secret-expired", "expired",
         "certificate"},
        {"AADSTS700027: Client assertion failed signature validation.", "entra-certificate", "certificate",
         "thumbprint"},
        {"AADSTS7000218: must contain client_assertion or client_secret", "entra-secret-missing", "confidential",
         "public"},
        {"AADSTS70011: The provided value for the input parameter 'scope' is not valid.", "entra-scope", "scope",
         "one"},
        {"AADSTS50173: The provided grant has expired due to it being revoked", "entra-grant-revoked", "revoked",
         "authorize"},
        {"AADSTS700082: The refresh token has expired due to inactivity.", "entra-grant-revoked", "90 days",
         "authorize"},
        {"AADSTS70043: sign-in frequency", "entra-grant-revoked", "policy", "exclude"},
        {"AADSTS700084: SPA", "entra-spa-redirect", "24 hours", "web"},
        {"AADSTS50196: client request loop", "entra-loop", "too often", "second program"},
        {R"(asking oauth2.googleapis.com for a token of x: invalid_grant: Token has been expired or revoked.)",
         "google-grant-revoked", "Testing", "publish"},
        {R"({"error":"unauthorized_client","error_description":"Client is unauthorized to retrieve access tokens using this )"
         R"(method, or client not authorized for any of the scopes requested."})",
         "google-delegation", "delegation", "24 hours"},
        {R"({"error":"redirect_uri_mismatch"})", "google-redirect", "redirect", "character"},
        {"invalid_client", "client", "secret", "import"},
        {"error=access_denied&state=x", "declined", "declined", "accept"},
        {"asking login.microsoftonline.com for a token of x: HTTP 429: Too Many Requests", "throttled", "less often",
         "wait"},
        {"HTTP/1.1 503 Service Unavailable", "passing", "moment", "wait"},
    };
    for (const auto& row : rows) check(row);
    const auto whole = explain(
        R"(HTTP 400: {"error":"invalid_grant","error_description":"AADSTS50173: x","error_codes":[50173],"trace_id":"t-1","correlation_id":"c-1"})");
    CHECK(whole.id == "entra-grant-revoked");
    CHECK(holds(whole.remark, "correlation id c-1, trace id t-1"));
    CHECK(explain("entra-consent").id == "entra-consent");
}

TEST_CASE("explain: what this program itself says", "[doctor]") {
    const Row rows[]{
        {"credential desk has no refresh token: authorize it, or import one", "no-grant", "signed in",
         "rohrpost authorize"},
        {"reason=\"cannot read the secrets of desk: the key file is another one\"", "grant-unreadable", "key file",
         "key file"},
        {"cannot store the tokens of desk: disk full", "grant-unstorable", "disk", "room"},
        {"the mail server refuses even a fresh token of desk", "token-refused-fresh", "not the token",
         "Get-CASMailbox"},
        {"the mail server refuses the password of desk", "password-refused", "password", "import"},
        {"the provider gave a token of somebody else than desk@contoso.com: x", "wrong-identity", "somebody else",
         "private window"},
        {"credential=desk id=wrong-identity who=a expected=b", "wrong-identity", "somebody else", "private window"},
        {"mailbox=a id=idle-silent news came without a notification", "idle-silent", "announce", "--poll-interval"},
        {"id=descriptors the system allows 1024 open files", "descriptors", "open files", "LimitNOFILE"},
        {"id=disk-full", "disk-full", "full", "room"},
        {"id=store-failed", "store-failed", "disk failed", "recovers"},
        {"mailbox=a id=set-aside", "set-aside", "damaged", "server"},
        {"id=crashed reason=x", "crashed", "defect", "report"},
        {"id=recovery x", "recovery", "not ended in order", ""},
        {"this sign-in was not begun here, has been finished before, or is more than ten minutes old",
         "sign-in-unknown", "ten minutes", "external URL"},
        {"This page was opened under another name than it is known by.", "callback-astray", "another name",
         "external URL"},
        {"folder INBOX is frozen: UIDVALIDITY changed", "folder-frozen", "identify nothing", "frozen folder"},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("explain: the error inside an OAuth log-in is decoded", "[doctor]") {
    const auto explanation =
        explain("+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==");
    CHECK(explanation.id == "gmail-login-refused");
    CHECK(holds(explanation.remark, R"({"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"})"));
    CHECK(explain("334 " + base64_encoded(R"({"status":"invalid_token"})")).id == "gmail-login-refused");
    CHECK(explain("+ eyJub3RoaW5nIjoxfQ==").is == Is::unknown);
}

TEST_CASE("explain: what is not in the tables is said to be so, with its class where it has one", "[doctor]") {
    const auto number = explain(R"(invalid_grant: AADSTS12345678: something new)");
    CHECK(number.is == Is::a_class);
    CHECK(number.id == "sign-in-again");
    CHECK(holds(number.remark, "AADSTS12345678 is not in the tables"));
    CHECK(holds(number.remark, "error?code=12345678"));
    const auto lone = explain("AADSTS12345678: something new");
    CHECK(lone.is == Is::a_class);
    CHECK(lone.id == "unknown-error");
    const auto policy = explain("550 5.7.1 we do not like you");
    CHECK(policy.is == Is::a_class);
    CHECK(policy.id == "smtp-5xx");
    CHECK(holds(policy.cause, "for good, about rights or policy (5.7.1)"));
    CHECK(explain("450 4.2.0 greylisted").id == "smtp-4xx");
    CHECK(explain("A7 NO I would rather not").id == "mail-refusal");
    CHECK(explain("-ERR no").is == Is::a_class);
    for (const std::string_view nothing : {"", "   ", "all is well", "{}", "{\"error\":7}", "AADSTS", "NOW and then"}) {
        CAPTURE(nothing);
        const auto unknown = explain(nothing);
        CHECK(unknown.is == Is::unknown);
        CHECK(holds(unknown.remark, "Nothing is known of this text"));
    }
    CHECK(explain(std::string(1 << 20, 'A')).is == Is::unknown);
    CHECK(explain(std::string(1 << 20, '{')).is == Is::unknown);
}
