#pragma once
/// What several of the identity provider's dialogues say alike.

#include <string>
#include <string_view>

#include "tools/rohrpost-sim/http_endpoint.hpp"
#include "tools/rohrpost-sim/refusals.hpp"

namespace sim {

/// Percent-encoded for a query or a form.
std::string url_escaped(std::string_view text);
std::string html_escaped(std::string_view text);

/// The tenant that a path names: "/contoso.example/oauth2/v2.0/token"; empty: none.
std::string tenant_in(std::string_view path);
enum class TenantKind { concrete, any, unknown };  // any: common, organizations, consumers
TenantKind kind_of_tenant(const IdentityProvider& identity, std::string_view form);
/// The id of the tenant in which the account signs in.
std::string tenant_of(const IdentityProvider& identity, std::string_view form, const Account& account);
/// nullptr: it may sign in there; otherwise why not.
const Refusal* refused_in(const IdentityProvider& identity, std::string_view form, const Account& account);
std::string issuer_of(const IdentityProvider& identity, std::string_view tenant);

/// "AADSTS50173: … Trace ID: … Correlation ID: … Timestamp: …" with CRLF between, or Google's words.
std::string described(IdentityProvider& identity, const Refusal& refusal, std::string_view words = {});
/// The answer of the token endpoint; `words` instead of the usual ones.
HttpReply refused(IdentityProvider& identity, const Refusal& refusal, std::string_view words = {});
/// By the manner of the provider: Entra's number or Google's name.
const Refusal& refusal_of(const IdentityProvider& identity, int entra, std::string_view google);

/// The id_token for a grant as the faults have it; empty: none.
std::string id_token_of(World& world, const Grant& grant, std::string_view nonce, std::string_view access_token);

}  // namespace sim
