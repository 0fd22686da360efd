#pragma once
/// Whether the person who signed in is the one who was expected. A pure decision: the table in the tests is the
/// specification. Whatever is not clearly the same is not the same.

#include <optional>
#include <string>
#include <string_view>

#include "protocols/oauth2/id_token.hpp"

namespace oauth2 {

/// What keeps an account apart from all others, for ever. Entra: (tid, oid); elsewhere (iss, sub).
struct Binding {
    std::string tenant;
    std::string object_id;
    std::string user;  // whom it was made for; with another expected user it says nothing
};

/// Whom a grant is for.
struct ExpectedIdentity {
    enum class Provider { entra, google, other } provider = Provider::other;
    std::string user;    // the credential's sign-in name
    std::string tenant;  // Entra: as configured, an id, a domain, organizations, consumers, common or empty
    std::optional<Binding> bound;
};

struct IdentityVerdict {
    enum class Is {
        same,          // store the grant, bound to `binding`
        other_person,  // store nothing: `who` signed in, `expected` was to
        other_tenant,  // store nothing: right or wrong, it is an account of another directory
        cannot_tell,   // store nothing: `why`
    } is = Is::cannot_tell;
    std::string who;       // the name that the token gives, printable
    std::string expected;  // the name, or the tenant, that was expected, printable
    std::string why;       // a sentence for the operator; empty when it is the same
    std::string help;      // of `why` what there is to do, where names stand beside it
    Binding binding;
};

/// Personal Microsoft accounts are all in this tenant.
inline constexpr std::string_view personal_tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Compares a checked id_token with whom a grant is for.
/// Entra: once bound, (tid, oid) decides alone. Before, the tenant must be the configured one, and one of
/// preferred_username, upn and unique_name must be the expected user, whatever the case of its letters. `email` counts
/// only where the tenant is configured: elsewhere any directory may claim it. A guest never passes by name, except by
/// the very name that the directory gives the guest (…#EXT#@…).
/// Google: a verified address that Google itself is responsible for (gmail.com, or a Workspace domain).
/// Others: preferred_username, upn, a verified email, or `sub`.
IdentityVerdict compare(const IdToken& token, const ExpectedIdentity& expected);

}  // namespace oauth2
