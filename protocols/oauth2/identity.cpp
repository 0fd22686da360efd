#include "protocols/oauth2/identity.hpp"

#include <array>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/issuer.hpp"

namespace oauth2 {
namespace {

using Is = IdentityVerdict::Is;
using Provider = ExpectedIdentity::Provider;

constexpr std::size_t shown_bytes_max = 256;

std::string shown(std::string_view text) { return text::printable(text, shown_bytes_max); }

std::string_view without_prefix(std::string_view name) {
    constexpr std::string_view live = "live.com#";
    return text::starts_with_same(name, live) ? name.substr(live.size()) : name;
}

/// The best name that the token has, for people.
std::string name_of(const IdToken& token) {
    const std::array<std::string_view, 5> names{token.preferred_username, token.upn, without_prefix(token.unique_name),
                                                token.email, token.subject};
    for (const auto name : names) {
        if (!name.empty()) return shown(name);
    }
    return "somebody without a name";
}

Binding binding_of(const IdToken& token, const ExpectedIdentity& expected) {
    if (expected.provider == Provider::entra) return {token.tenant, token.object_id, expected.user};
    // Google writes its issuer with and without https.
    const bool google = expected.provider == Provider::google;
    return {google ? std::string("accounts.google.com") : token.issuer, token.subject, expected.user};
}

bool is_named(std::string_view claim, const ExpectedIdentity& expected) {
    return !claim.empty() && text::same(claim, expected.user);
}

bool is_guest(const IdToken& token) {
    if (token.account == IdToken::Account::guest) return true;
    for (const std::string_view name : {token.upn, token.preferred_username, token.unique_name}) {
        if (text::find_same(name, "#EXT#@") != std::string_view::npos) return true;
    }
    // Entra names who signed the person in when it was not this directory.
    return token.tenant != personal_tenant && !token.identity_provider.empty() &&
           token.identity_provider != token.issuer && token.identity_provider.find(token.tenant) == std::string::npos;
}

IdentityVerdict verdict(Is is, const IdToken& token, const ExpectedIdentity& expected, std::string why) {
    return {.is = is,
            .who = name_of(token),
            .expected = shown(expected.user),
            .why = std::move(why),
            .help = {},
            .binding = binding_of(token, expected)};
}

IdentityVerdict same(const IdToken& token, const ExpectedIdentity& expected) {
    return verdict(Is::same, token, expected, {});
}

IdentityVerdict other_person(const IdToken& token, const ExpectedIdentity& expected) {
    constexpr std::string_view help =
        "the browser offers the account that is signed in at the workstation (single sign-on): use a private window, "
        "or sign out first";
    auto other = verdict(Is::other_person, token, expected,
                         "signed in as " + name_of(token) + ", expected " + shown(expected.user) + "; ");
    other.why += help;
    other.help = help;
    return other;
}

IdentityVerdict cannot_tell(const IdToken& token, const ExpectedIdentity& expected, std::string why) {
    return verdict(Is::cannot_tell, token, expected, std::move(why));
}

IdentityVerdict other_tenant(const IdToken& token, const ExpectedIdentity& expected, std::string_view tenant) {
    constexpr std::string_view help = "use a private window and the mailbox's own account, or correct the tenant";
    auto given = verdict(Is::other_tenant, token, expected,
                         "signed in as " + name_of(token) + " of tenant " + shown(token.tenant) +
                             ", expected an account of tenant " + shown(tenant) + "; ");
    given.why += help;
    given.help = help;
    given.expected = shown(tenant);
    return given;
}

/// A binding decides alone; names change, accounts don't.
IdentityVerdict by_binding(const IdToken& token, const ExpectedIdentity& expected, const Binding& bound) {
    const Binding now = binding_of(token, expected);
    if (!text::same(now.tenant, bound.tenant)) return other_tenant(token, expected, bound.tenant);
    const bool of_entra = expected.provider == Provider::entra;
    if (of_entra ? text::same(now.object_id, bound.object_id) : now.object_id == bound.object_id) {
        return same(token, expected);
    }
    auto other = other_person(token, expected);
    if (is_named(token.preferred_username, expected) || is_named(token.upn, expected) ||
        is_named(token.email, expected)) {
        other.why = "another account now has the name " + shown(expected.user) +
                    " (it was deleted and made anew, or the name was given to somebody else); if that is meant, remove "
                    "the old authorization first";
        other.help = other.why;
    }
    return other;
}

/// Whether the configured tenant is one directory.
bool is_one_tenant(std::string_view tenant) {
    return !tenant.empty() && tenant != "common" && tenant != "organizations" && tenant != "consumers";
}

IdentityVerdict by_entra_name(const IdToken& token, const ExpectedIdentity& expected) {
    const std::string tenant = text::lowered(expected.tenant);
    const bool personal = token.tenant == personal_tenant;
    if (is_tenant_id(tenant) && token.tenant != tenant) return other_tenant(token, expected, tenant);
    if (tenant == "consumers" && !personal) return other_tenant(token, expected, "consumers (personal accounts)");
    const bool personal_asked = tenant == "consumers" || tenant == personal_tenant;
    if (personal && !personal_asked && tenant != "common")
        return other_tenant(token, expected, tenant.empty() ? "organizations" : tenant);

    if (is_guest(token)) {
        if (is_named(token.upn, expected) && text::find_same(token.upn, "#EXT#@") != std::string_view::npos)
            return same(token, expected);
        if (is_named(token.preferred_username, expected) || is_named(token.email, expected) ||
            is_named(token.upn, expected) || is_named(without_prefix(token.unique_name), expected)) {
            return cannot_tell(token, expected,
                               name_of(token) + " is a guest in tenant " + shown(token.tenant) +
                                   "; mailboxes belong to members: set the tenant to the account's own, or name the "
                                   "guest's user name (…#EXT#@…) as the user");
        }
        return other_person(token, expected);
    }
    const bool named = is_named(token.preferred_username, expected) || is_named(token.upn, expected) ||
                       is_named(without_prefix(token.unique_name), expected);
    if (named && personal && !personal_asked) {
        return cannot_tell(token, expected,
                           name_of(token) +
                               " is a personal Microsoft account; a work account may have the same "
                               "address: set the tenant to \"consumers\", or to the organisation's own");
    }
    if (named) return same(token, expected);
    if (!is_named(token.email, expected)) return other_person(token, expected);
    if (is_one_tenant(tenant)) return same(token, expected);
    return cannot_tell(
        token, expected,
        "only the mail address of " + name_of(token) + " is " + shown(expected.user) +
            ", which any directory may claim; name the tenant, or the account's sign-in name as the user");
}

IdentityVerdict by_entra(const IdToken& token, const ExpectedIdentity& expected) {
    if (!is_tenant_id(token.tenant) || !is_tenant_id(token.object_id)) {
        return cannot_tell(token, expected,
                           "the id_token names no account (tid and oid); ask for the scopes openid, profile and email");
    }
    if (expected.bound && text::same(expected.bound->user, expected.user))
        return by_binding(token, expected, *expected.bound);
    return by_entra_name(token, expected);
}

IdentityVerdict by_google(const IdToken& token, const ExpectedIdentity& expected) {
    if (token.email.empty()) {
        return cannot_tell(token, expected, "the id_token names no address; ask for the scopes openid and email");
    }
    if (!is_named(token.email, expected)) {
        auto other = other_person(token, expected);
        other.who = shown(token.email);
        return other;
    }
    const auto domain = std::string_view(token.email).substr(token.email.find('@') + 1);
    const bool at_google =
        !token.hosted_domain.empty() || text::same(domain, "gmail.com") || text::same(domain, "googlemail.com");
    if (token.email_verified == true && at_google) return same(token, expected);
    return cannot_tell(token, expected,
                       shown(token.email) +
                           " is not an address that Google itself is responsible for (neither Gmail "
                           "nor Workspace), so it has no Gmail mailbox");
}

IdentityVerdict by_others(const IdToken& token, const ExpectedIdentity& expected) {
    if (token.subject == expected.user || is_named(token.preferred_username, expected) || is_named(token.upn, expected))
        return same(token, expected);
    if (token.preferred_username.empty() && token.upn.empty() && token.email.empty()) {
        return cannot_tell(token, expected,
                           "the id_token names the account by its id alone (sub): " + shown(token.subject) +
                               "; have the provider put preferred_username or email into id_tokens, or write that id "
                               "as the credential's user");
    }
    if (!is_named(token.email, expected)) return other_person(token, expected);
    if (token.email_verified == true) return same(token, expected);
    return cannot_tell(token, expected,
                       "only the mail address of " + name_of(token) + " is " + shown(expected.user) +
                           ", and the provider has not verified it");
}

}  // namespace

IdentityVerdict compare(const IdToken& token, const ExpectedIdentity& expected) {
    if (expected.user.empty()) return cannot_tell(token, expected, "nobody is expected: the credential names no user");
    if (expected.provider == Provider::entra) return by_entra(token, expected);
    if (expected.bound && text::same(expected.bound->user, expected.user))
        return by_binding(token, expected, *expected.bound);
    return expected.provider == Provider::google ? by_google(token, expected) : by_others(token, expected);
}

}  // namespace oauth2
