#include "protocols/oauth2/assertion.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "protocols/http/url.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/json.hpp"
#include "protocols/jose/sign.hpp"
#include "protocols/oauth2/errc.hpp"

namespace oauth2 {
namespace {

constexpr std::chrono::minutes client_life(9);
constexpr std::chrono::minutes clock_allowance(1);
constexpr std::chrono::minutes account_life(60);  // Google: at most
constexpr std::size_t name_bytes_max = 1024;
constexpr std::string_view google_token_uri = "https://oauth2.googleapis.com/token";

std::string text_of(const AssertionClaims& claims) {
    boost::json::object object;
    const auto put = [&object](std::string_view name, const std::string& text) {
        if (!text.empty()) object[name] = text;
    };
    const auto put_time = [&object](std::string_view name, WallTime time) {
        const auto count = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
        if (count > 0) object[name] = count;
    };
    put("iss", claims.issuer);
    put("sub", claims.subject);
    put("aud", claims.audience);
    put("jti", claims.id);
    put("scope", claims.scope);
    put_time("iat", claims.issued_at);
    put_time("nbf", claims.not_before);
    put_time("exp", claims.expires_at);
    return boost::json::serialize(object);
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= name_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

AssertionClaims client_claims(std::string client_id, std::string token_url, std::string id, WallTime now) {
    AssertionClaims claims;
    claims.issuer = client_id;
    claims.subject = std::move(client_id);
    claims.audience = std::move(token_url);
    claims.id = std::move(id);
    claims.issued_at = now - clock_allowance;
    claims.not_before = now - clock_allowance;
    claims.expires_at = now + client_life;
    return claims;
}

Result<Secret> client_assertion(const AssertionClaims& claims, const jose::Certificate& certificate,
                                const jose::PrivateKey& key) {
    if (!belongs(certificate, key)) return jose::errc::certificate_mismatch;
    return jose::sign({.algorithm = jose::Algorithm::ps256, .key_id = {}, .thumbprint = certificate.thumbprint},
                      text_of(claims), key);
}

Result<ServiceAccount> read_service_account(const Secret& text) {
    const auto object = jose::read_object(text.reveal(), key_file_bytes_max);
    if (!object) return object.error();
    const auto type = jose::text_at(*object, "type");
    if (!type.empty() && type != "service_account") return errc::key_file_other_kind;
    ServiceAccount account;
    account.client_email = jose::text_at(*object, "client_email");
    account.client_id = jose::text_at(*object, "client_id");
    account.private_key_id = jose::text_at(*object, "private_key_id");
    account.token_uri = jose::text_at(*object, "token_uri");
    if (!object->contains("token_uri")) account.token_uri = google_token_uri;
    const auto at = account.client_email.find('@');
    const bool named = is_name(account.client_email) && at != std::string::npos && at > 0;
    if (type.empty() || !named || !is_name(account.private_key_id)) return errc::key_file_malformed;
    if (!account.client_id.empty() && !is_name(account.client_id)) return errc::key_file_malformed;
    if (!is_name(account.token_uri) || !http::read_https_url(account.token_uri)) return errc::key_file_token_uri;
    const Secret pem{std::string(jose::text_at(*object, "private_key"))};
    auto key = jose::read_private_key(pem);
    if (!key) return key.error();
    account.private_key = std::move(*key);
    return account;
}

Result<Secret> service_account_assertion(const ServiceAccount& account, std::string user, std::string scope,
                                         WallTime now) {
    AssertionClaims claims;
    claims.issuer = account.client_email;
    claims.subject = std::move(user);
    claims.audience = account.token_uri;
    claims.scope = std::move(scope);
    claims.issued_at = now;
    claims.expires_at = now + account_life;
    return jose::sign({.algorithm = jose::Algorithm::rs256, .key_id = account.private_key_id, .thumbprint = {}},
                      text_of(claims), account.private_key);
}

}  // namespace oauth2
