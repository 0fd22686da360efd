#include <boost/json.hpp>

#include "tools/rohrpost-sim/answers.hpp"

namespace sim {

namespace json = boost::json;

namespace {

constexpr std::uint64_t huge_bytes = 64 * 1024 * 1024;

json::object entra_configuration(const IdentityProvider& identity, const std::string& tenant_form) {
    const std::string& base = identity.rules.base_url;
    const std::string form = tenant_form.empty() ? identity.rules.tenant : tenant_form;
    // Entra leaves the tenant open where it is not known yet.
    const std::string tenant = kind_of_tenant(identity, form) == TenantKind::any ? std::string("{tenantid}")
                                                                                 : tenant_of(identity, form, Account{});
    const std::string place = base + "/" + form;
    return {{"issuer", issuer_of(identity, tenant)},
            {"authorization_endpoint", place + "/oauth2/v2.0/authorize"},
            {"token_endpoint", place + "/oauth2/v2.0/token"},
            {"device_authorization_endpoint", place + "/oauth2/v2.0/devicecode"},
            {"jwks_uri", place + "/discovery/v2.0/keys"},
            {"token_endpoint_auth_methods_supported",
             json::array{"client_secret_post", "private_key_jwt", "client_secret_basic"}},
            {"response_modes_supported", json::array{"query", "fragment", "form_post"}},
            {"subject_types_supported", json::array{"pairwise"}},
            {"claims_supported", json::array{"sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name",
                                             "tid", "ver", "oid", "upn", "email"}}};
}

json::object google_configuration(const IdentityProvider& identity) {
    const std::string& base = identity.rules.base_url;
    return {
        {"issuer", issuer_of(identity, {})},
        {"authorization_endpoint", base + "/o/oauth2/v2/auth"},
        {"token_endpoint", base + "/token"},
        {"device_authorization_endpoint", base + "/device/code"},
        {"jwks_uri", base + "/oauth2/v3/certs"},
        {"token_endpoint_auth_methods_supported", json::array{"client_secret_post", "client_secret_basic"}},
        {"subject_types_supported", json::array{"public"}},
        {"claims_supported", json::array{"aud", "email", "email_verified", "exp", "hd", "iat", "iss", "name", "sub"}}};
}

}  // namespace

HttpReply answer_discovery(World& world, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const std::string tenant_form = tenant_in(request.path);
    if (kind_of_tenant(identity, tenant_form) == TenantKind::unknown) return refused(identity, entra_refusal(90002));
    json::object body = identity.rules.manner == Manner::google ? google_configuration(identity)
                                                                : entra_configuration(identity, tenant_form);
    body["response_types_supported"] = json::array{"code"};
    body["id_token_signing_alg_values_supported"] = json::array{"RS256"};
    body["scopes_supported"] = json::array{"openid", "profile", "email", "offline_access"};
    body["code_challenge_methods_supported"] = json::array{"S256"};
    return {.body = json::serialize(body)};
}

HttpReply answer_keys(World& world, const HttpRequest&) {
    IdentityProvider& identity = world.identity;
    const auto fault = world.faults.strike(FaultKind::keys, {});
    const std::string row = fault ? fault->row : std::string();
    if (row == "drop") return {.dropped = true};
    if (row == "500") return {.status = 500, .type = "text/html", .body = "<html><body>Internal error</body></html>"};
    if (row == "huge") return {.body = std::string(fault->value == 0 ? huge_bytes : fault->value, ' ')};
    if (row == "garbage") return {.body = R"({"keys":[{"kty":"RSA","n":42},)"};
    if (row == "empty") return {.body = R"({"keys":[]})"};
    json::array keys;
    for (const RsaKey& key : identity.served_keys()) {
        json::object jwk = key.jwk();
        if (identity.rules.manner == Manner::google)
            jwk["alg"] = "RS256";
        else
            jwk["issuer"] = issuer_of(identity, "{tenantid}");
        keys.push_back(std::move(jwk));
    }
    HttpReply reply{.body = json::serialize(json::object{{"keys", keys}})};
    if (row == "slow") reply.after = std::chrono::milliseconds(fault->value == 0 ? 5000 : fault->value);
    return reply;
}

}  // namespace sim
