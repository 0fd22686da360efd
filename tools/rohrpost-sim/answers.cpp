#include "tools/rohrpost-sim/answers.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"

namespace sim {

namespace json = boost::json;

namespace {

constexpr std::string_view other_domain = "other.test";

std::string oid_in(const IdentityProvider& identity, std::string_view tenant, const Account& account) {
    const bool as_guest = account.guest && tenant == identity.rules.tenant;
    return as_guest ? uuid_of("guest " + account.name) : account.oid;
}

json::object entra_claims(const IdentityProvider& identity, const Grant& grant, const Account& account) {
    const std::string tenant = tenant_of(identity, grant.tenant_form, account);
    const std::string oid = oid_in(identity, tenant, account);
    json::object claims{{"iss", issuer_of(identity, tenant)},
                        {"sub", base64url_encoded(sha256(grant.client + '|' + oid))},
                        {"tid", tenant},
                        {"uti", base64url_encoded(sha256(oid).substr(0, 16))},
                        {"ver", "2.0"}};
    if (holds(grant.scopes, "profile")) {
        claims["name"] = account.display;
        claims["oid"] = oid;
        claims["preferred_username"] = account.name;
        claims["upn"] = account.upn;
        if (account.guest) claims["idp"] = issuer_of(identity, identity.rules.other_tenant);
    }
    if (holds(grant.scopes, "email") && !account.email.empty()) claims["email"] = account.email;
    return claims;
}

json::object google_claims(const IdentityProvider& identity, const Grant& grant, const Account& account,
                           std::string_view access_token) {
    std::string subject = "1";
    for (const char byte : sha256(account.oid).substr(0, 20))
        subject += static_cast<char>('0' + static_cast<unsigned char>(byte) % 10);
    json::object claims{{"iss", issuer_of(identity, {})},
                        {"azp", grant.client},
                        {"sub", subject},
                        {"at_hash", base64url_encoded(sha256(access_token).substr(0, 16))},
                        {"jti", base64url_encoded(sha256(access_token).substr(16))}};
    if (account.tenant == identity.rules.tenant) claims["hd"] = identity.rules.domain;
    if (holds(grant.scopes, "email")) {
        claims["email"] = account.email;
        claims["email_verified"] = true;
    }
    if (holds(grant.scopes, "profile")) claims["name"] = account.display;
    return claims;
}

/// What a fault makes of the claims.
void spoil(json::object& claims, const IdentityProvider& identity, std::string_view row) {
    const std::int64_t now = identity.seconds_now();
    if (row == "issuer") claims["iss"] = issuer_of(identity, identity.rules.other_tenant) + "/evil";
    if (row == "audience") claims["aud"] = "another-application";
    if (row == "expired" || row == "early") {
        const std::int64_t begin = row == "expired" ? now - 7200 : now + 7200;
        claims["iat"] = begin;
        claims["nbf"] = begin;
        claims["exp"] = begin + 3600;
    }
    if (row == "nonce") claims["nonce"] = "somebody-elses-nonce";
    if (row == "no_nonce") claims.erase("nonce");
    if (row == "tenant") {
        claims["tid"] = identity.rules.other_tenant;
        claims["iss"] = issuer_of(identity, identity.rules.other_tenant);
        claims["hd"] = other_domain;
    }
    if (row == "user") {
        claims["oid"] = uuid_of("oid of somebody else");
        claims["sub"] = "somebody-else";
        claims["name"] = "Somebody Else";
        claims["preferred_username"] = claims["upn"] = claims["email"] = "somebody.else@" + identity.rules.domain;
    }
}

}  // namespace

std::string url_escaped(std::string_view given) {
    constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string escaped;
    for (const char c : given) {
        if (plain.find(c) != std::string_view::npos)
            escaped += c;
        else
            escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return escaped;
}

std::string html_escaped(std::string_view given) {
    std::string escaped;
    for (const char c : given) {
        if (c == '&')
            escaped += "&amp;";
        else if (c == '<')
            escaped += "&lt;";
        else if (c == '>')
            escaped += "&gt;";
        else if (c == '"')
            escaped += "&quot;";
        else if (c == '\'')
            escaped += "&#39;";
        else
            escaped += c;
    }
    return escaped;
}

std::string tenant_in(std::string_view path) {
    const auto parts = text::split(path, '/');
    if (parts.size() < 4 || parts[1].empty()) return {};
    const bool named = parts[2] == "oauth2" || parts[2] == "v2.0" || parts[2] == "discovery";
    return named && parts[1] != "o" ? std::string(parts[1]) : std::string();
}

TenantKind kind_of_tenant(const IdentityProvider& identity, std::string_view form) {
    const auto& rules = identity.rules;
    for (const std::string_view one : {"common", "organizations", "consumers"})
        if (text::same(form, one)) return TenantKind::any;
    if (form.empty() || text::same(form, rules.tenant) || text::same(form, rules.domain)) return TenantKind::concrete;
    const bool other = text::same(form, rules.other_tenant) || text::same(form, other_domain);
    return other ? TenantKind::concrete : TenantKind::unknown;
}

std::string tenant_of(const IdentityProvider& identity, std::string_view form, const Account& account) {
    const auto& rules = identity.rules;
    if (kind_of_tenant(identity, form) == TenantKind::any) return account.tenant;
    const bool other = text::same(form, rules.other_tenant) || text::same(form, other_domain);
    return other ? rules.other_tenant : rules.tenant;
}

const Refusal* refused_in(const IdentityProvider& identity, std::string_view form, const Account& account) {
    if (identity.rules.manner == Manner::google) return nullptr;
    const std::string tenant = tenant_of(identity, form, account);
    const bool member = tenant == account.tenant || (account.guest && tenant == identity.rules.tenant);
    return member ? nullptr : &entra_refusal(50020);
}

std::string issuer_of(const IdentityProvider& identity, std::string_view tenant) {
    if (identity.rules.manner == Manner::google) return identity.rules.base_url;
    return fmt::format("{}/{}/v2.0", identity.rules.base_url, tenant);
}

std::string described(IdentityProvider& identity, const Refusal& refusal, std::string_view words) {
    const std::string_view said = words.empty() ? refusal.words : words;
    if (refusal.code == 0) return std::string(said);
    return fmt::format("AADSTS{}: {}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {:%Y-%m-%d %H:%M:%S}Z",
                       refusal.code, said, identity.uuid(), identity.uuid(), fmt::gmtime(identity.seconds_now()));
}

HttpReply refused(IdentityProvider& identity, const Refusal& refusal, std::string_view words) {
    HttpReply reply{.status = refusal.status, .retry_after = std::chrono::seconds(refusal.retry_after)};
    if (refusal.plain_text) {
        reply.type = refusal.words.starts_with("<") ? "text/html" : "text/plain";
        reply.body = refusal.words;
        return reply;
    }
    json::object body{{"error", refusal.error}};
    const std::string description = described(identity, refusal, words);
    if (!description.empty()) body["error_description"] = description;
    if (refusal.code != 0) {
        body["error_codes"] = json::array{refusal.code};
        body["timestamp"] = fmt::format("{:%Y-%m-%d %H:%M:%S}Z", fmt::gmtime(identity.seconds_now()));
        body["trace_id"] = identity.uuid();
        body["correlation_id"] = identity.uuid();
        body["error_uri"] = fmt::format("{}/error?code={}", identity.rules.base_url, refusal.code);
        if (!refusal.suberror.empty()) body["suberror"] = refusal.suberror;
    }
    reply.body = json::serialize(body);
    return reply;
}

const Refusal& refusal_of(const IdentityProvider& identity, int entra, std::string_view google) {
    const Refusal* found = identity.rules.manner == Manner::google ? refusal_named(google) : nullptr;
    return found != nullptr ? *found : entra_refusal(entra);
}

std::string id_token_of(World& world, const Grant& grant, std::string_view nonce, std::string_view access_token) {
    IdentityProvider& identity = world.identity;
    const auto account = world.account(grant.user);
    if (!account || !holds(grant.scopes, "openid")) return {};
    const auto fault = world.faults.strike(FaultKind::id_token, grant.user);
    const std::string row = fault ? fault->row : std::string();
    if (row == "missing") return {};
    if (row == "garbage") return "eyJ.not-a-token";

    json::object claims = identity.rules.manner == Manner::google
                              ? google_claims(identity, grant, *account, access_token)
                              : entra_claims(identity, grant, *account);
    const std::int64_t now = identity.seconds_now();
    claims["aud"] = grant.client;
    claims["iat"] = now;
    if (identity.rules.manner == Manner::entra) claims["nbf"] = now;
    claims["exp"] = now + identity.rules.id_token_lives_for.count();
    if (!nonce.empty()) claims["nonce"] = nonce;
    spoil(claims, identity, row);
    if (row == "none") return unsigned_jwt(claims);
    json::object header;
    if (row == "kid") header["kid"] = "a-key-nobody-serves";
    std::string token = signed_jwt(std::move(header), claims, identity.signing_key());
    if (row == "signature") {
        char& late = token[token.size() - 20];
        late = late == 'A' ? 'B' : 'A';
    }
    return token;
}

}  // namespace sim
