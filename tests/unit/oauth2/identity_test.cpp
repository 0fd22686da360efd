#include "protocols/oauth2/identity.hpp"

#include <catch2/catch.hpp>

using namespace oauth2;
using Is = IdentityVerdict::Is;
using Provider = ExpectedIdentity::Provider;

namespace {

const std::string contoso = "11111111-2222-3333-4444-555555555555";
const std::string fabrikam = "aaaaaaaa-2222-3333-4444-555555555555";
const std::string desk_id = "dddddddd-2222-3333-4444-555555555555";
const std::string bob_id = "bbbbbbbb-2222-3333-4444-555555555555";

struct Row {
    const char* what;
    IdToken token;
    ExpectedIdentity expected;
    Is is;
};

IdToken member(std::string preferred, std::string tenant = contoso, std::string object_id = desk_id) {
    IdToken token;
    token.issuer = "https://login.microsoftonline.com/" + tenant + "/v2.0";
    token.subject = "pairwise";
    token.tenant = std::move(tenant);
    token.object_id = std::move(object_id);
    token.preferred_username = std::move(preferred);
    return token;
}

template <class Set>
IdToken but(IdToken token, Set set) {
    set(token);
    return token;
}

ExpectedIdentity desk(std::string tenant = contoso) {
    ExpectedIdentity expected;
    expected.provider = Provider::entra;
    expected.user = "desk@contoso.com";
    expected.tenant = std::move(tenant);
    return expected;
}

ExpectedIdentity bound(ExpectedIdentity expected, std::string tenant = contoso, std::string object_id = desk_id,
                       std::string user = "desk@contoso.com") {
    expected.bound = Binding{.tenant = std::move(tenant), .object_id = std::move(object_id), .user = std::move(user)};
    return expected;
}

IdToken google(std::string email, std::optional<bool> verified = true, std::string hosted_domain = "contoso.com") {
    IdToken token;
    token.issuer = "https://accounts.google.com";
    token.subject = "1184";
    token.email = std::move(email);
    token.email_verified = verified;
    token.hosted_domain = std::move(hosted_domain);
    return token;
}

ExpectedIdentity at(Provider provider, std::string user) {
    ExpectedIdentity expected;
    expected.provider = provider;
    expected.user = std::move(user);
    return expected;
}

void check(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        CAPTURE(row.what);
        const auto verdict = compare(row.token, row.expected);
        CAPTURE(verdict.why);
        CHECK(static_cast<int>(verdict.is) == static_cast<int>(row.is));
        CHECK(verdict.why.empty() == (row.is == Is::same));
        const bool other = row.is == Is::other_person || row.is == Is::other_tenant;
        CHECK(verdict.help.empty() != other);
        CHECK(verdict.why.ends_with(verdict.help));
        CHECK_FALSE(verdict.who.empty());
    }
}

}  // namespace

TEST_CASE("oauth2: at Entra the expected person passes by sign-in name, and nobody else", "[oauth2][hostile-45]") {
    const auto guest = [](std::string preferred) {
        return but(member(std::move(preferred)), [](IdToken& t) { t.account = IdToken::Account::guest; });
    };
    const std::string ext = "desk_contoso.com#EXT#@fabrikam.onmicrosoft.com";
    check({
        {"the name", member("desk@contoso.com"), desk(), Is::same},
        {"the name in other case", member("Desk@CONTOSO.com"), desk(), Is::same},
        {"the upn", but(member("Desk Team"), [](IdToken& t) { t.upn = "desk@contoso.com"; }), desk(), Is::same},
        {"the unique name", but(member(""), [](IdToken& t) { t.unique_name = "desk@contoso.com"; }), desk(), Is::same},
        {"the workstation's user", member("bob@contoso.com", contoso, bob_id), desk(), Is::other_person},
        {"a name that begins alike", member("desk@contoso.com.evil.test"), desk(), Is::other_person},
        {"a name that ends alike", member("xdesk@contoso.com"), desk(), Is::other_person},
        {"no name at all", member(""), desk(), Is::other_person},
        {"another tenant's account", member("bob@fabrikam.com", fabrikam), desk(), Is::other_tenant},
        {"the name in another tenant", member("desk@contoso.com", fabrikam), desk(), Is::other_tenant},
        {"the tenant in other case", member("desk@contoso.com", fabrikam), desk("AAAAAAAA-2222-3333-4444-555555555555"),
         Is::same},
        {"any tenant asked", member("desk@contoso.com", fabrikam), desk("organizations"), Is::same},
        {"a tenant by its domain", member("desk@contoso.com"), desk("contoso.com"), Is::same},
        {"no tid", but(member("desk@contoso.com"), [](IdToken& t) { t.tenant.clear(); }), desk(), Is::cannot_tell},
        {"no oid", but(member("desk@contoso.com"), [](IdToken& t) { t.object_id.clear(); }), desk(), Is::cannot_tell},
        {"a tid of another form", but(member("desk@contoso.com"), [](IdToken& t) { t.tenant = "x"; }), desk("common"),
         Is::cannot_tell},
        {"nobody expected", member(""), at(Provider::entra, ""), Is::cannot_tell},
        // The mail address is what a directory says it is.
        {"the mail address in our tenant",
         but(member("d1@contoso.onmicrosoft.com"), [](IdToken& t) { t.email = "desk@contoso.com"; }), desk(), Is::same},
        {"the mail address, tenant by domain",
         but(member("d1@contoso.onmicrosoft.com"), [](IdToken& t) { t.email = "desk@contoso.com"; }),
         desk("contoso.com"), Is::same},
        {"the mail address in any tenant",
         but(member("evil@fabrikam.com", fabrikam), [](IdToken& t) { t.email = "desk@contoso.com"; }),
         desk("organizations"), Is::cannot_tell},
        {"the mail address, called verified",
         but(member("evil@fabrikam.com", fabrikam),
             [](IdToken& t) {
                 t.email = "desk@contoso.com";
                 t.email_verified = true;
             }),
         desk("common"), Is::cannot_tell},
        // Guests.
        {"a guest with the name", guest("desk@contoso.com"), desk(), Is::cannot_tell},
        {"a guest by mail address", but(guest("x"), [](IdToken& t) { t.email = "desk@contoso.com"; }), desk(),
         Is::cannot_tell},
        {"a guest by idp",
         but(member("desk@contoso.com"),
             [](IdToken& t) { t.identity_provider = "https://sts.windows.net/" + fabrikam + "/"; }),
         desk(), Is::cannot_tell},
        {"a member whose idp is the same directory",
         but(member("desk@contoso.com"),
             [](IdToken& t) { t.identity_provider = "https://sts.windows.net/" + contoso + "/"; }),
         desk(), Is::same},
        {"a guest of live.com",
         but(member(""),
             [](IdToken& t) {
                 t.unique_name = "live.com#desk@contoso.com";
                 t.identity_provider = "live.com";
             }),
         desk(), Is::cannot_tell},
        {"another guest", guest("bob@gmail.com"), desk(), Is::other_person},
        {"a guest by the guest's own upn", but(member("desk@contoso.com", fabrikam), [&](IdToken& t) { t.upn = ext; }),
         [&] {
             auto expected = desk(fabrikam);
             expected.user = ext;
             return expected;
         }(),
         Is::same},
        {"a guest's upn that only looks like the name", but(member("x", fabrikam), [&](IdToken& t) { t.upn = ext; }),
         desk(fabrikam), Is::other_person},
        // Personal accounts.
        {"a personal account where work accounts are asked", member("desk@contoso.com", std::string(personal_tenant)),
         desk("organizations"), Is::other_tenant},
        {"a personal account without a tenant", member("desk@contoso.com", std::string(personal_tenant)), desk(""),
         Is::other_tenant},
        {"a personal account, tenant by domain", member("desk@contoso.com", std::string(personal_tenant)),
         desk("contoso.com"), Is::other_tenant},
        {"a personal account where any is asked", member("desk@contoso.com", std::string(personal_tenant)),
         desk("common"), Is::cannot_tell},
        {"a personal account where it is asked",
         but(member("desk@contoso.com", std::string(personal_tenant)),
             [](IdToken& t) { t.identity_provider = "live.com"; }),
         desk("consumers"), Is::same},
        {"a work account where a personal one is asked", member("desk@contoso.com"), desk("consumers"),
         Is::other_tenant},
    });
}

TEST_CASE("oauth2: a bound identity stays the same account, whatever its names become", "[oauth2][hostile-45]") {
    check({
        {"the same account", member("desk@contoso.com"), bound(desk()), Is::same},
        {"renamed", member("front-desk@contoso.com"), bound(desk()), Is::same},
        {"made anew under the name", member("desk@contoso.com", contoso, bob_id), bound(desk()), Is::other_person},
        {"somebody else", member("bob@contoso.com", contoso, bob_id), bound(desk()), Is::other_person},
        {"the same oid elsewhere", member("desk@contoso.com", fabrikam), bound(desk("organizations")),
         Is::other_tenant},
        {"another tenant and oid", member("desk@contoso.com", fabrikam, bob_id), bound(desk("common")),
         Is::other_tenant},
        {"no oid", but(member("desk@contoso.com"), [](IdToken& t) { t.object_id.clear(); }), bound(desk()),
         Is::cannot_tell},
        // The credential was given to another user since: the binding of the one before says nothing.
        {"the one before signs in", member("bob@contoso.com", contoso, bob_id),
         bound(desk(), contoso, bob_id, "bob@contoso.com"), Is::other_person},
        {"the new one signs in", member("desk@contoso.com"), bound(desk(), contoso, bob_id, "bob@contoso.com"),
         Is::same},
        {"google, renamed", google("front@contoso.com"),
         bound(at(Provider::google, "desk@contoso.com"), "accounts.google.com", "1184"), Is::same},
        {"google, another account", google("desk@contoso.com"),
         bound(at(Provider::google, "desk@contoso.com"), "accounts.google.com", "99"), Is::other_person},
        {"others, another account", but(google("desk@contoso.com"), [](IdToken& t) { t.issuer = "https://idp.test"; }),
         bound(at(Provider::other, "desk@contoso.com"), "https://idp.test", "99"), Is::other_person},
        {"others, the case of sub", but(google("x"), [](IdToken& t) { t.subject = "abc"; }),
         bound(at(Provider::other, "desk@contoso.com"), "https://accounts.google.com", "ABC"), Is::other_person},
    });
}

TEST_CASE("oauth2: at Google a verified address that Google is responsible for counts", "[oauth2][hostile-45]") {
    const auto wanted = at(Provider::google, "desk@contoso.com");
    check({
        {"workspace", google("Desk@contoso.com"), wanted, Is::same},
        {"gmail", google("desk@gmail.com", true, ""), at(Provider::google, "desk@gmail.com"), Is::same},
        {"somebody else", google("bob@contoso.com"), wanted, Is::other_person},
        {"not verified", google("desk@contoso.com", false), wanted, Is::cannot_tell},
        {"verified not said", google("desk@contoso.com", std::nullopt), wanted, Is::cannot_tell},
        {"a foreign address", google("desk@contoso.com", true, ""), wanted, Is::cannot_tell},
        {"no address", google(""), wanted, Is::cannot_tell},
        {"an upn means nothing", but(google("bob@contoso.com"), [](IdToken& t) { t.upn = "desk@contoso.com"; }), wanted,
         Is::other_person},
    });
}

TEST_CASE("oauth2: at other providers user name, sub or a verified address count", "[oauth2][hostile-45]") {
    const auto wanted = at(Provider::other, "desk@contoso.com");
    const auto person = [](auto set) { return but(google("", std::nullopt, ""), set); };
    check({
        {"user name", person([](IdToken& t) { t.preferred_username = "DESK@contoso.com"; }), wanted, Is::same},
        {"sub", person([](IdToken& t) { t.subject = "desk@contoso.com"; }), wanted, Is::same},
        {"sub in other case", person([](IdToken& t) { t.subject = "DESK@contoso.com"; }), wanted, Is::cannot_tell},
        {"verified address", google("desk@contoso.com"), wanted, Is::same},
        {"unverified address", google("desk@contoso.com", false), wanted, Is::cannot_tell},
        {"another name", person([](IdToken& t) { t.preferred_username = "bob@contoso.com"; }), wanted,
         Is::other_person},
        {"no name", person([](IdToken&) {}), wanted, Is::cannot_tell},
    });
    const auto nameless = compare(person([](IdToken& t) { t.subject = "8f3c"; }), wanted);
    CHECK(nameless.why.find("8f3c") != std::string::npos);
    CHECK(nameless.why.find("preferred_username") != std::string::npos);
}

TEST_CASE("oauth2: a refused identity says who signed in and who was expected, and binds what it was",
          "[oauth2][hostile-45]") {
    auto verdict = compare(member("bob@contoso.com\xff", contoso, bob_id), desk());
    CHECK(verdict.who == "bob@contoso.com\\xff");
    CHECK(verdict.expected == "desk@contoso.com");
    CHECK(verdict.why.find("private window") != std::string::npos);
    CHECK(verdict.why.find("bob@contoso.com\\xff") != std::string::npos);
    verdict = compare(member("bob@fabrikam.com", fabrikam, bob_id), desk());
    CHECK(verdict.expected == contoso);
    verdict = compare(member("desk@contoso.com"), desk());
    CHECK(verdict.binding.tenant == contoso);
    CHECK(verdict.binding.object_id == desk_id);
    CHECK(verdict.binding.user == "desk@contoso.com");
    CHECK(compare(google("desk@contoso.com"), at(Provider::google, "desk@contoso.com")).binding.object_id == "1184");
}
