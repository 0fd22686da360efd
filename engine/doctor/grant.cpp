#include "engine/doctor/grant.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "engine/doctor/provider_words.hpp"
#include "engine/doctor/times.hpp"
#include "protocols/base/text.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr auto day = std::chrono::hours(24);
constexpr auto idle_noted = 60 * day;  // Entra ends a refresh token after 90 idle days
constexpr auto testing_ends_after = 7 * day;
constexpr auto testing_noticed_until = 9 * day;
constexpr auto skew_tolerated = 60s;
constexpr auto skew_fatal = 300s;

bool is_one_of(const std::vector<std::string>& list, std::string_view wanted) {
    return std::any_of(list.begin(), list.end(), [wanted](const std::string& one) { return text::same(one, wanted); });
}

/// The mail servers as Entra names them: hosts, and the id of the application Exchange Online.
bool is_mail_audience(std::string_view audience) {
    constexpr std::array<std::string_view, 5> mail{"outlook.office.com", "outlook.office365.com",
                                                   "outlook.office365.us", "partner.outlook.cn",
                                                   "00000002-0000-0ff1-ce00-000000000000"};
    return std::any_of(mail.begin(), mail.end(),
                       [audience](auto one) { return text::find_same(audience, one) != std::string_view::npos; });
}

bool is_guid(std::string_view tenant) {
    return tenant.size() == 36 && std::count(tenant.begin(), tenant.end(), '-') == 4;
}

bool signs_in_alone(config::Flow flow) {
    return flow == config::Flow::client_credentials || flow == config::Flow::service_account;
}

class GrantJudge {
public:
    GrantJudge(const GrantFacts& facts, const GrantExpected& expected)
        : facts_(facts), expected_(expected), names_(names_of(expected.credential, expected.provider, facts.claims)) {
        names_.redirect_uri = expected.redirect_uri;
        names_.host = authority_of(expected.provider.token_url);
    }

    Judged judged() && {
        if (facts_.token) {
            present();
        } else {
            nothing();
        }
        endings();
        return std::move(judged_);
    }

private:
    void present() {
        token();
        if (facts_.token->kind == tokens::Token::Kind::bearer) {
            identity();
            if (facts_.claims && maker() == Maker::microsoft) claims(*facts_.claims);
            scope();
            grant();
        }
        judged_.passable = std::none_of(judged_.findings.begin(), judged_.findings.end(),
                                        [](const Finding& one) { return one.severity == Severity::fault; });
    }
    /// Why there is no token.
    void nothing() {
        std::string got = facts_.no_token;
        if (facts_.retry_at) got += fmt::format(" (asked again at {})", time_text(*facts_.retry_at));
        if (facts_.late) return add("token-late", asking(), "no answer yet");
        if (const auto* row = known_by(facts_.no_token, "grant")) return add(row->id, asking(), got);
        if (const auto advice = advice_in(facts_.no_token)) {
            const auto age = expected_.now - facts_.grant.signed_in_at;
            const bool testing = advice->id == "google-grant-revoked" && facts_.grant.signed_in_at != WallTime() &&
                                 age >= testing_ends_after && age < testing_noticed_until;
            if (testing) return add("google-testing", asking(), got);
            judged_.findings.push_back(found(*advice, subject(), asking(), got, names_));
            return;
        }
        if (const auto* row = known_by(facts_.no_token)) return add(row->id, asking(), got);
        judged_.findings.push_back(found(tokens::advice_on_no_answer(), subject(), asking(), got, names_));
    }
    void token() {
        const bool bearer = facts_.token->kind == tokens::Token::Kind::bearer;
        const auto got =
            bearer ? fmt::format("a token until {}", time_text(facts_.token->expires_at)) : std::string("a password");
        judged_.findings.push_back(fine("token", subject(), asking(), got));
    }
    /// Whose the grant is: as its sign-in proved, else as its token shows.
    void identity() {
        const auto& owner = facts_.grant.owner;
        const auto& user = expected_.credential.user;
        const std::string did = "compared whose grant it is with user and tenant";
        if (!owner.object_id.empty()) {
            if (!text::same(owner.user, user)) {
                add("wrong-identity", did, fmt::format("{} had signed in, user is {}", owner.user, user));
            } else if (is_guid(expected_.provider.tenant) && !owner.tenant.empty() && maker() == Maker::microsoft &&
                       !text::same(owner.tenant, expected_.provider.tenant)) {
                add("wrong-tenant", did,
                    fmt::format("{} of directory {}, tenant is {}", owner.user, owner.tenant,
                                expected_.provider.tenant));
            } else {
                const auto got = fmt::format("{} signed in at {}", owner.user, time_text(facts_.grant.signed_in_at));
                judged_.findings.push_back(fine("identity", subject(), did, got));
            }
            return;
        }
        if (signs_in_alone(expected_.credential.flow)) return;
        if (!facts_.claims || facts_.claims->names.empty()) return add("identity-unproven", did, "not known");
        const auto& names = facts_.claims->names;
        const auto got = fmt::format("the token is of {}, user is {}", fmt::join(names, ", "), user);
        if (!is_one_of(names, user)) return add("wrong-identity", did, got);
        judged_.findings.push_back(fine("identity", subject(), did, got));
    }
    void claims(const Claims& claims) {
        const std::string did = "read what the token says of itself";
        const auto& tenant = expected_.provider.tenant;
        if (is_guid(tenant) && !claims.tenant.empty() && !text::same(claims.tenant, tenant) &&
            facts_.grant.owner.object_id.empty()) {
            add("wrong-tenant", did, fmt::format("of directory {}, tenant is {}", claims.tenant, tenant));
        }
        if (!claims.audience.empty() && !is_mail_audience(claims.audience)) {
            add("token-audience", did, fmt::format("it is for {}", claims.audience));
        } else if (expected_.credential.flow == config::Flow::client_credentials) {
            if (!is_one_of(claims.roles, expected_.over_pop3 ? "POP.AccessAsApp" : "IMAP.AccessAsApp"))
                add("roles-missing", did, fmt::format("roles: {}", listed(claims.roles)));
        } else if (!claims.scopes.empty() && !is_one_of(claims.scopes, right_of_person())) {
            add("scope-missing", did, fmt::format("scopes: {}", listed(claims.scopes)));
        }
        if (!claims.issued_at) return;
        const auto ahead = *claims.issued_at - expected_.now;
        if (ahead <= skew_tolerated) return;
        add(ahead < skew_fatal ? "clock-off" : "clock-wrong", did,
            fmt::format("it was made in {}, by this machine's clock",
                        span_text(std::chrono::duration_cast<seconds>(ahead))));
    }
    [[nodiscard]] std::string_view right_of_person() const {
        return expected_.over_pop3 ? "POP.AccessAsUser.All" : "IMAP.AccessAsUser.All";
    }
    /// What the provider said that it granted; a token that shows its scopes has been judged by them.
    void scope() {
        const auto& scope = facts_.grant.scope;
        if (scope.empty() || (facts_.claims && !facts_.claims->scopes.empty())) return;
        const std::string_view wanted = maker() == Maker::google      ? "https://mail.google.com/"
                                        : maker() == Maker::microsoft ? right_of_person()
                                                                      : "";
        const bool own_behalf = signs_in_alone(expected_.credential.flow);
        if (wanted.empty() || own_behalf || text::find_same(scope, wanted) != std::string_view::npos) return;
        add("scope-missing", "compared the scopes granted with those needed",
            fmt::format("granted: {}", text::printable(scope)));
    }
    void grant() {
        if (signs_in_alone(expected_.credential.flow)) return;
        const auto& grant = facts_.grant;
        if (!grant.has_refresh_token) return add("scope-offline", "looked at the grant", "no refresh token");
        const auto age = expected_.now - grant.refresh_token_at;
        if (grant.refresh_token_at == WallTime()) return;
        const auto got =
            fmt::format("the refresh token is {} old", span_text(std::chrono::duration_cast<seconds>(age)));
        if (maker() == Maker::microsoft && age > idle_noted) return add("grant-idle", "looked at the grant", got);
        judged_.findings.push_back(fine("grant", subject(), "looked at the grant", got));
    }

    /// What ends by itself, soon or since a while; it hinders no log-in with the token that is there.
    void endings() {
        const auto idle_life = tokens::idle_life_of(expected_.provider);
        for (const auto& one : tokens::expiries_of(expected_.credential, idle_life, facts_.grant.ends)) {
            if (!tokens::warning_at(one.at, expected_.now)) continue;
            const bool over = one.at <= expected_.now;
            const auto span = span_text(std::chrono::duration_cast<seconds>(one.at - expected_.now));
            const auto got = over ? fmt::format("ended {}, {} ago", time_text(one.at), span)
                                  : fmt::format("ends {}, in {}", time_text(one.at), span);
            add(id_of(one.what, over), fmt::format("looked at the date of its {}", tokens::word_of(one.what)), got);
        }
    }
    static std::string_view id_of(tokens::Expiry::What what, bool over) {
        switch (what) {
            case tokens::Expiry::What::client_secret:
                return over ? "client-secret-ended" : "client-secret-ends";
            case tokens::Expiry::What::certificate:
                return over ? "client-certificate-ended" : "client-certificate-ends";
            case tokens::Expiry::What::refresh_token:
                break;
        }
        return over ? "refresh-token-ended" : "refresh-token-ends";
    }
    static std::string listed(const std::vector<std::string>& list) {
        return list.empty() ? std::string("none") : fmt::format("{}", fmt::join(list, " "));
    }
    [[nodiscard]] Maker maker() const { return maker_of(expected_.provider); }
    [[nodiscard]] Subject subject() const { return {Subject::Kind::credential, expected_.credential.id}; }
    [[nodiscard]] std::string asking() const {
        return expected_.credential.flow == config::Flow::password ? std::string("asked for its password")
                                                                   : fmt::format("asked for a token ({})", names_.host);
    }
    void add(std::string_view id, std::string did, std::string got) {
        judged_.findings.push_back(found(id, subject(), std::move(did), std::move(got), names_));
    }

    const GrantFacts& facts_;
    const GrantExpected& expected_;
    Names names_;
    Judged judged_;
};

}  // namespace

Names names_of(const config::Credential& credential, const config::Provider& provider,
               const std::optional<Claims>& claims) {
    Names names;
    names.user = credential.user;
    names.credential = credential.id;
    names.client_id = credential.client_id;
    names.tenant = provider.tenant;
    names.provider = provider.id;
    if (claims && (claims->application || credential.flow == config::Flow::client_credentials)) {
        names.principal = claims->object_id;
    }
    return names;
}

Judged judge(const GrantFacts& facts, const GrantExpected& expected) { return GrantJudge(facts, expected).judged(); }

}  // namespace doctor
