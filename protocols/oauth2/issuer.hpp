#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oauth2 {

/// Entra's place for the id of a tenant in issuers that stand for many.
inline constexpr std::string_view tenant_place = "{tenantid}";

/// Whether `id` is a GUID as Entra writes it: 36 characters, hexadecimal digits in lower case.
bool is_tenant_id(std::string_view id) noexcept;

/// Whether `issuer` is `expected`, byte for byte, with `tenant` in its {tenantid} if it has one. A `tenant` that is no
/// GUID fits nowhere. OpenID Connect Core §3.1.3.7 (2).
bool is_issuer(std::string_view issuer, std::string_view expected, std::string_view tenant) noexcept;

/// The same where the tenant is not known yet: any GUID fits the {tenantid}.
bool may_be_issuer(std::string_view issuer, std::string_view expected) noexcept;

}  // namespace oauth2
