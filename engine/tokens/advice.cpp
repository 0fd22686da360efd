#include "engine/tokens/advice.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "protocols/base/text.hpp"

namespace tokens {
namespace {

using Owner = Advice::Owner;

constexpr std::size_t numbers_max = 16;

/// One row of what Microsoft's numbers mean.
struct Numbered {
    Advice advice;
    std::array<std::int64_t, 20> numbers;
};

constexpr Numbered by_number[] = {
    {{"entra-other-directory", "the account is not in this directory, or was never invited to it",
      "sign in again in a private window, with the mailbox's own account; if it was the right one, correct the tenant "
      "of "
      "the provider",
      Owner::user},
     {16000, 16003, 50020, 50034, 51004, 50014, 90072}},
    {{"entra-tenant-restricted", "a network proxy or a cross-tenant policy forbids this tenant",
      "ask the security administrator to allow the tenant (tenant restrictions, cross-tenant access settings)",
      Owner::operators},
     {50002, 500021, 500022, 500212, 500213}},
    {{"entra-scope", "a scope or resource is unknown, was not granted, or those of two resources were mixed",
      "use the scopes https://outlook.office.com/IMAP.AccessAsUser.All, POP.AccessAsUser.All and SMTP.Send of one "
      "resource, add them under API permissions of the registration, and grant consent",
      Owner::operators},
     {50001, 500011, 650054, 65005, 650056, 650057, 70011, 28002, 28003, 700022, 700023, 901002}},
    {{"entra-certificate", "the client's assertion or certificate was not accepted",
      "upload the certificate under Certificates & secrets of the registration and compare its thumbprint; check that "
      "it "
      "has not expired and that this machine's clock is right",
      Owner::operators},
     {50003, 50012, 50013, 500133, 700027, 700030}},
    {{"entra-device-policy", "a policy demands a managed or compliant device",
      "authorize from a compliant device, or ask the security administrator to exclude the service account from the "
      "policy",
      Owner::operators},
     {50005, 50097, 50129, 50155, 50187, 53000, 53001, 53002}},
    {{"entra-redirect", "the redirect URL is not registered, or differs from the registered one",
      "register {external-url}/oauth/callback as a redirect URI of type web; it must be the same character by "
      "character: "
      "scheme, host, port, path, case",
      Owner::operators},
     {50011, 70004, 900971}},
    {{"entra-account-type", "a personal account was used where a work account is needed, or the reverse",
      "sign in with the right kind of account, or change the supported account types of the registration", Owner::user},
     {500208, 9002332}},
    {{"entra-malformed-token", "a token that was sent is malformed",
      "authorize the credential again; if it comes back, report it with trace and correlation id", Owner::operators},
     {50027, 90016, 900384}},
    {{"entra-passing", "the directory, or its agent in the organisation's network, is in trouble for the moment",
      "wait: it is tried again by itself; if it lasts, look at the service health, or at the authentication agents "
      "(AADSTS800xx)",
      Owner::nobody},
     {50033, 50087, 50088, 90006, 90012, 90024, 90033, 90090, 70012, 40010, 80001, 80002, 80005, 80014}},
    {{"entra-tenant-unknown", "there is no such tenant in this cloud",
      "correct the tenant (its id or domain) or the cloud of the provider", Owner::operators},
     {50049, 50059, 50128, 90002, 90019}},
    {{"entra-locked", "the account is locked (too many failed sign-ins), or the address is blocked",
      "look up the failure reason in the sign-in log of the directory; unlock the account or wait", Owner::operators},
     {50053}},
    {{"entra-password-expired", "the password has expired", "change the password, then authorize the credential again",
      Owner::user},
     {50055, 50144}},
    {{"entra-password-wrong", "the password is wrong or missing",
      "authorize the credential again with the right password, or have it reset", Owner::user},
     {50056, 50064, 50126}},
    {{"entra-account-disabled", "the account is disabled; that is how a shared mailbox's own account normally is",
      "authorize as a delegate who has full access to the shared mailbox, or enable the account", Owner::operators},
     {50057}},
    {{"entra-no-session", "nobody is signed in, and no sign-in page was to be shown",
      "authorize the credential again with a sign-in page (prompt other than none)", Owner::user},
     {50058}},
    {{"entra-mfa", "a second factor or security information is needed",
      "authorize the credential again and pass the second factor; when it was a refresh that failed, a policy has "
      "changed",
      Owner::user},
     {50072, 50074, 50076, 50078, 50079, 50158, 50161, 53004, 50125, 53010}},
    {{"entra-code-spent", "the code or refresh token is invalid, stale, used already, or of another tenant",
      "authorize the credential again, without reloading the page; if it comes back, check this machine's clock and "
      "the "
      "tenant of the provider",
      Owner::user},
     {50085, 50089, 54005, 70000, 700005, 70008}},
    {{"entra-not-assigned", "the user is not assigned to the application",
      "assign the user or a group to the enterprise application, or switch off \"assignment required\" there",
      Owner::operators},
     {50105}},
    {{"entra-conditional-access", "conditional access, or a risk that was detected, blocks the sign-in",
      "give the correlation id to the security administrator: sign-in log, tab Conditional Access; the device code "
      "flow "
      "is what is blocked most often",
      Owner::operators},
     {50131, 53003, 530032, 530034, 53011, 50132, 50133, 50135}},
    {{"entra-security-defaults", "security defaults block the request, which was taken for a legacy one",
      "use the flow authorization_code; passwords are not possible here", Owner::operators},
     {530035}},
    {{"entra-interrupted", "the sign-in page waits for an answer", "finish the dialogue in the browser", Owner::user},
     {50140, 50199}},
    {{"entra-other-user", "somebody else is signed in than the one who was expected",
      "authorize again in a private window: the workstation's single sign-on offers its own user", Owner::user},
     {50143, 81012}},
    {{"entra-pkce", "the proof of this sign-in (PKCE) does not fit its code",
      "authorize again; begin and finish the sign-in at the same console; if it comes back, report it", Owner::user},
     {50147, 501481, 501491}},
    {{"entra-grant-revoked",
      "the authorization was revoked, was not used for 90 days, or a policy demands a new sign-in",
      "authorize the credential again; with a sign-in frequency policy, exclude the service account or accept the "
      "periodic sign-in",
      Owner::user},
     {50173, 700082, 70043}},
    {{"entra-spa-redirect", "the redirect URI is of type spa, whose refresh tokens end after 24 hours",
      "change the redirect URI's type from spa to web in the registration, then authorize again", Owner::operators},
     {700084}},
    {{"entra-authority", "the application does not allow this form of the tenant",
      "name the tenant's id in the provider instead of common, organizations or consumers", Owner::operators},
     {50194, 9001023, 90124, 90130}},
    {{"entra-loop", "the same request came too often in a short time",
      "nothing at once: it is asked again after a pause; look for a second program that uses the same application and "
      "account",
      Owner::nobody},
     {50196}},
    {{"entra-two-identities", "the request names two identities that conflict", "authorize again in a private window",
      Owner::user},
     {50197}},
    {{"entra-consent", "consent is missing or was declined, or an administrator must give it",
      "an administrator grants consent: https://login.microsoftonline.com/TENANT/adminconsent?client_id=CLIENT_ID; "
      "since "
      "November 2025 users cannot consent to mail protocols themselves",
      Owner::operators},
     {65001, 65004, 90008, 90094, 90095, 700020}},
    {{"entra-no-subscription", "the organisation has no subscription for the service",
      "buy or assign Exchange Online in this tenant, or correct the tenant", Owner::operators},
     {650052}},
    {{"entra-application-unknown", "the application is unknown in this tenant, or disabled",
      "correct client_id, tenant or cloud; grant consent to the application; see that it is enabled under Enterprise "
      "applications",
      Owner::operators},
     {70001, 700011, 700016, 7000112, 1000031, 90099}},
    {{"entra-secret-wrong", "the client secret is wrong",
      "import the secret's value, not its id; it is shown only when it is made", Owner::operators},
     {70002, 7000215}},
    {{"entra-secret-expired", "the client secret has expired; all accounts of this application are down",
      "make a new secret, or move to a certificate, and import it", Owner::operators},
     {7000222}},
    {{"entra-secret-missing", "the application is registered as confidential, and no secret was sent",
      "give the credential a client_secret or a certificate, or allow public client flows in the registration",
      Owner::operators},
     {7000218}},
    {{"entra-secret-excess", "a secret was sent, but the application is registered as public",
      "leave client_secret out, or register the redirect URI as type web", Owner::operators},
     {700025}},
    {{"entra-grant-type", "the registration does not allow this way to sign in",
      "enable the flow in the registration (Authentication), or choose another flow", Owner::operators},
     {70003, 70005, 700054, 70007}},
    {{"entra-device-code", "the device code waits, has expired, or was typed in wrong",
      "begin the authorization again and type in the new code within 15 minutes", Owner::user},
     {70016, 70018, 70019, 90119, 90120}},
    {{"entra-bad-request", "a parameter of the request is missing or malformed",
      "the text names the parameter: correct tenant, client_id, scopes or external URL; do not use the browser's back "
      "button; if all is right, report it",
      Owner::operators},
     {90005, 90014, 900144, 90015, 90023, 9002313, 90056, 900561, 90100, 90101, 90102, 90107, 90117, 90121}},
    {{"entra-other-cloud", "the tenant or the application is of another national cloud",
      "set the cloud of the provider (global, gcc_high, dod, china); applications are registered in each cloud",
      Owner::operators},
     {90038, 90043, 90051, 900382, 900432, 1000104}},
    {{"entra-tenant-throttled", "the tenant sends too many requests", "wait: it is tried again by itself",
      Owner::nobody},
     {90055}},
};

/// What Google writes; an empty text fits every description.
struct Worded {
    std::string_view error;
    std::string_view text;
    Advice advice;
};

constexpr Worded by_words[] = {
    {"invalid_grant",
     "expired or revoked",
     {"google-grant-revoked",
      "the authorization was revoked, was not used for six months, ended with a change of the password, or with seven "
      "days because the application is in publishing status \"Testing\"",
      "authorize the credential again; publish the application if this happens every seven days", Owner::user}},
    {"invalid_grant",
     "Invalid JWT",
     {"google-clock", "the service account's assertion was not accepted; mostly this machine's clock is wrong",
      "set the clock right (NTP); see that the key of the service account still exists", Owner::operators}},
    {"invalid_grant",
     "Invalid email or User ID",
     {"google-account-unknown", "the user, or the service account, does not exist",
      "correct the credential's user; see that the service account was not deleted", Owner::operators}},
    {"invalid_grant",
     "account not found",
     {"google-account-unknown", "the user, or the service account, does not exist",
      "correct the credential's user; see that the service account was not deleted", Owner::operators}},
    {"invalid_grant",
     "Malformed auth code",
     {"google-code-spent", "the code was used already, or belongs to another redirect URL", "authorize again",
      Owner::user}},
    {"invalid_grant",
     "Bad Request",
     {"google-code-spent", "the code was used already, or belongs to another redirect URL", "authorize again",
      Owner::user}},
    {"invalid_client",
     "OAuth client was not found",
     {"google-client-unknown", "client id or client secret are wrong",
      "compare client_id and client_secret with the Google Cloud console, and import them again", Owner::operators}},
    {"invalid_client",
     "Unauthorized",
     {"google-client-unknown", "client id or client secret are wrong",
      "compare client_id and client_secret with the Google Cloud console, and import them again", Owner::operators}},
    {"unauthorized_client",
     "Client is unauthorized to retrieve access tokens",
     {"google-delegation", "domain-wide delegation is missing for this service account and scope",
      "Admin console, Security, API controls, Domain-wide delegation: add the service account's client id with the "
      "scope "
      "https://mail.google.com/; it takes up to 24 hours",
      Owner::operators}},
    {"redirect_uri_mismatch",
     "",
     {"google-redirect", "the redirect URL is not registered for this client",
      "register {external-url}/oauth/callback, character by character, with the OAuth client", Owner::operators}},
    {"admin_policy_enforced",
     "",
     {"google-admin-policy", "the Workspace administrator does not allow the application or its scopes",
      "Admin console, Security, API controls: trust the application", Owner::operators}},
    {"org_internal",
     "",
     {"google-org-internal", "the application is for its own organisation only",
      "sign in with an account of the application's organisation, or make the application external", Owner::user}},
    {"disallowed_useragent",
     "",
     {"google-browser", "the sign-in page was opened in an embedded browser", "open it in an ordinary browser",
      Owner::user}},
    {"internal_failure",
     "",
     {"passing", "the provider is in trouble for the moment", "wait: it is tried again by itself", Owner::nobody}},
};

struct Named {
    std::string_view name;
    Advice advice;
};

constexpr Advice sign_in_again{"sign-in-again", "the provider does not accept the stored authorization any more",
                               "authorize the credential again", Owner::user};
constexpr Advice passing{"passing", "the provider is in trouble for the moment", "wait: it is tried again by itself",
                         Owner::nobody};

/// What Entra's `suberror` says.
constexpr Named by_suberror[] = {
    {"user_password_expired",
     {"entra-password-expired", "the password has expired", "change the password, then authorize the credential again",
      Owner::user}},
    {"consent_required",
     {"entra-consent", "consent is missing or was declined, or an administrator must give it",
      "an administrator grants consent: https://login.microsoftonline.com/TENANT/adminconsent?client_id=CLIENT_ID",
      Owner::operators}},
    {"basic_action", {"sign-in-again", "the provider wants a sign-in", "authorize the credential again", Owner::user}},
    {"bad_token", sign_in_again},
    {"token_expired", sign_in_again},
    {"additional_action",
     {"entra-outside-action", "something outside the sign-in must be done first",
      "the text says what; give the correlation id to the administrator of the directory", Owner::operators}},
    {"message_only",
     {"entra-cannot-be-resolved", "a sign-in cannot resolve this",
      "the text says why; ask the administrator of the "
      "directory",
      Owner::operators}},
    {"protection_policy_required",
     {"entra-device-policy", "a policy demands a managed application",
      "ask the security administrator to exclude the service account from the policy", Owner::operators}},
    {"client_mismatch",
     {"entra-client-mismatch", "the authorization was given to another application",
      "correct client_id, or authorize the credential again", Owner::operators}},
    {"device_authentication_failed",
     {"entra-device-policy", "the device could not be identified",
      "ask the security administrator to exclude the service account from the policy", Owner::operators}},
};

/// What RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5 and OpenID Connect say.
constexpr Named by_error[] = {
    {"invalid_grant", sign_in_again},
    {"interaction_required",
     {"sign-in-again", "the provider wants a person to sign in", "authorize the credential again", Owner::user}},
    {"login_required",
     {"sign-in-again", "the provider wants a person to sign in", "authorize the credential again", Owner::user}},
    {"consent_required",
     {"consent", "consent is missing",
      "an administrator grants consent to the application, or the user does while "
      "authorizing again",
      Owner::operators}},
    {"invalid_client",
     {"client", "the application's id, secret or certificate is wrong or has expired; all its accounts are down",
      "correct client_id, client_secret or the certificate, and import them again; the secret is sent in the form "
      "(client_secret_post), which the registration must allow, or in a header with the provider's key "
      "token_endpoint_auth_method client_secret_basic",
      Owner::operators}},
    {"unauthorized_client",
     {"client-not-allowed", "the application may not do this in this tenant",
      "check client_id, tenant and the flows that the registration allows", Owner::operators}},
    {"invalid_scope",
     {"scope", "a scope is unknown or not allowed", "correct the scopes of the provider and of the registration",
      Owner::operators}},
    {"invalid_resource",
     {"scope", "a resource is unknown or not allowed", "correct the scopes of the provider and of the registration",
      Owner::operators}},
    {"invalid_target",
     {"scope", "a resource is unknown or not allowed", "correct the scopes of the provider and of the registration",
      Owner::operators}},
    {"unsupported_grant_type",
     {"grant-type", "the provider does not know this flow", "choose another flow for the credential",
      Owner::operators}},
    {"unsupported_response_type",
     {"grant-type", "the provider does not know this flow", "choose another flow for the credential",
      Owner::operators}},
    {"invalid_request",
     {"bad-request", "the provider calls the request malformed",
      "the text names what is wrong: correct the provider's URLs, scopes or client_id; a prompt that the provider does "
      "not know is replaced by one in its authorize_url (?prompt=login); if all is right, report it",
      Owner::operators}},
    {"access_denied",
     {"declined", "the sign-in or the consent was declined, or a policy forbids it",
      "authorize again and accept; if it was accepted, ask the administrator of the directory", Owner::user}},
    {"authorization_declined",
     {"declined", "the sign-in was declined", "begin the authorization again and accept", Owner::user}},
    {"expired_token",
     {"device-code-expired", "the code was not typed in in time", "begin the authorization again", Owner::user}},
    {"bad_verification_code",
     {"device-code-unknown", "the provider does not know the device code",
      "begin the authorization again; if it comes back, report it", Owner::operators}},
    {"authorization_pending",
     {"device-code-pending", "the sign-in is not finished", "finish it in the browser", Owner::user}},
    {"slow_down", {"throttled", "the provider wants to be asked less often", "wait", Owner::nobody}},
    {"server_error", passing},
    {"temporarily_unavailable", passing},
};

constexpr Advice throttled{"throttled", "the provider wants to be asked less often",
                           "wait: it is tried again after the pause that it asks for", Owner::nobody};
constexpr Advice proxy{"proxy", "a proxy on the way wants a log-in",
                       "let this machine reach the provider's host on port 443, or give the proxy's user and password",
                       Owner::operators};
constexpr Advice not_an_endpoint{"not-an-endpoint", "something answers that is no token endpoint",
                                 "check the provider's URLs; a proxy or a captive portal may answer in its place",
                                 Owner::operators};
constexpr Advice unknown_error{"unknown-error", "the provider refuses for a reason that is not known here",
                               "read the provider's text; for AADSTS numbers open "
                               "https://login.microsoftonline.com/error?code=NUMBER",
                               Owner::operators};

const Advice* find_number(const oauth2::Refusal& refusal) {
    std::vector<std::int64_t> numbers = refusal.error_codes;
    const auto written = numbers_in(refusal.error_description);
    numbers.insert(numbers.end(), written.begin(), written.end());
    for (const auto number : numbers) {
        for (const auto& row : by_number) {
            if (number > 0 && std::find(row.numbers.begin(), row.numbers.end(), number) != row.numbers.end())
                return &row.advice;
        }
    }
    return nullptr;
}

/// A text that somebody has pasted: it names the error, if anything does.
bool is_text_alone(const oauth2::Refusal& refusal) { return refusal.error.empty() && refusal.http_status == 0; }

bool is_word_part(char c) noexcept {
    const char low = text::lower(c);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Whether `word` is in `text`, and not only as a part of another one.
bool has_word(std::string_view text, std::string_view word) noexcept {
    for (std::size_t from = 0;;) {
        const auto at = text.find(word, from);
        if (at == std::string_view::npos) return false;
        const bool begins = at == 0 || !is_word_part(text[at - 1]);
        const bool ends = at + word.size() == text.size() || !is_word_part(text[at + word.size()]);
        if (begins && ends) return true;
        from = at + 1;
    }
}

const Advice* find_words(const oauth2::Refusal& refusal) {
    const std::string_view text = refusal.error_description;
    const auto holds = [text](std::string_view part) { return text::find_same(text, part) != std::string_view::npos; };
    const bool pasted = is_text_alone(refusal);
    for (const auto& row : by_words) {
        if ((refusal.error == row.error || (pasted && holds(row.error))) && holds(row.text)) return &row.advice;
    }
    return nullptr;
}

template <std::size_t count>
const Advice* find_name(const Named (&rows)[count], std::string_view name) {
    for (const auto& row : rows) {
        if (!name.empty() && row.name == name) return &row.advice;
    }
    return nullptr;
}

template <std::size_t count>
const Advice* find_word(const Named (&rows)[count], std::string_view text) {
    for (const auto& row : rows) {
        if (has_word(text, row.name)) return &row.advice;
    }
    return nullptr;
}

template <std::size_t count, class Row>
std::optional<Advice> find_id(const Row (&rows)[count], std::string_view id) {
    for (const auto& row : rows) {
        if (row.advice.id == id) return row.advice;
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::int64_t> numbers_in(std::string_view text) {
    constexpr std::string_view mark = "AADSTS";
    std::vector<std::int64_t> numbers;
    for (auto at = text::find_same(text, mark); at != std::string_view::npos && numbers.size() < numbers_max;
         at = text::find_same(text, mark)) {
        text.remove_prefix(at + mark.size());
        std::int64_t number = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
        if (read.ec == std::errc{}) numbers.push_back(number);
    }
    return numbers;
}

Advice advice_on(const oauth2::Refusal& refusal) {
    const int status = refusal.http_status;
    const auto* numbered = find_number(refusal);
    // Whatever the body says then, it is not about the grant.
    const bool passes = status == 429 || status == 408 || status >= 500;
    if (numbered != nullptr && (!passes || numbered->owner == Owner::nobody)) return *numbered;
    if (passes) return status == 429 ? throttled : passing;
    if (const auto* advice = find_words(refusal)) return *advice;
    if (const auto* advice = find_name(by_suberror, refusal.suberror)) return *advice;
    if (const auto* advice = find_name(by_error, refusal.error)) return *advice;
    if (is_text_alone(refusal)) {
        if (const auto* advice = find_word(by_suberror, refusal.error_description)) return *advice;
        if (const auto* advice = find_word(by_error, refusal.error_description)) return *advice;
    }
    if (status == 407) return proxy;
    return refusal.error.empty() && status != 0 ? not_an_endpoint : unknown_error;
}

std::optional<Advice> advice_named(std::string_view id) noexcept {
    if (auto advice = find_id(by_number, id)) return advice;
    if (auto advice = find_id(by_words, id)) return advice;
    if (auto advice = find_id(by_suberror, id)) return advice;
    if (auto advice = find_id(by_error, id)) return advice;
    for (const auto& advice : {throttled, proxy, not_an_endpoint, unknown_error, advice_on_no_answer()}) {
        if (advice.id == id) return advice;
    }
    return std::nullopt;
}

Advice advice_on_no_answer() {
    return {
        "no-answer", "the provider's token endpoint did not answer",
        "see that this machine resolves and reaches the provider's host on port 443, and that no proxy replaces its "
        "certificate; it is tried again by itself",
        Owner::nobody};
}

std::string sentences_of(const Advice& advice) {
    std::string text;
    for (const auto part : {advice.cause, advice.remedy}) {
        if (part.empty()) continue;
        if (!text.empty()) text += ' ';
        text += text::upper(part.front());
        text += part.substr(1);
        text += '.';
    }
    return text;
}

std::string_view word_of(Owner owner) noexcept {
    constexpr std::array<std::string_view, 3> words{"user", "operator", "nobody"};
    return words[static_cast<std::size_t>(owner)];
}

}  // namespace tokens
