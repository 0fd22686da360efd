#include "tools/rohrpost-sim/client_proof.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "protocols/base/base64.hpp"
#include "tools/rohrpost-sim/answers.hpp"

namespace sim {

namespace json = boost::json;

namespace {

constexpr std::int64_t skew_seconds = 300;

struct Basic {
    std::string id, secret;
};

/// RFC 6749 §2.3.1: both parts are form-encoded within.
std::optional<Basic> read_basic(const std::string& encoded) {
    const auto plain = base64_decoded(encoded);
    if (!plain) return std::nullopt;
    const std::size_t colon = plain->find(':');
    if (colon == std::string::npos) return std::nullopt;
    const auto decoded = [](const std::string& part) {
        const auto form = read_form("x=" + part);
        return form.at("x");
    };
    return Basic{decoded(plain->substr(0, colon)), decoded(plain->substr(colon + 1))};
}

bool names_in(const json::value* audience, std::string_view wanted) {
    if (audience == nullptr) return false;
    if (audience->is_string()) return audience->as_string() == wanted;
    if (!audience->is_array()) return false;
    for (const json::value& one : audience->as_array())
        if (one.is_string() && one.as_string() == wanted) return true;
    return false;
}

/// The audience must be the endpoint that was asked, or the issuer.
bool meant_for_us(const IdentityProvider& identity, const Jwt& assertion, const std::string& path) {
    const json::value* audience = assertion.claims.if_contains("aud");
    const std::string tenant = tenant_of(identity, tenant_in(path), Account{.tenant = identity.rules.tenant});
    return names_in(audience, identity.rules.base_url + path) || names_in(audience, issuer_of(identity, tenant));
}

/// The registered certificate that the header names and that made the signature.
bool signed_by_ours(const Client& client, const Jwt& assertion) {
    const auto algorithm = assertion.algorithm();
    if (!algorithm) return false;
    for (const std::string& pem : client.certificates) {
        const auto key = RsaKey::from_pem(pem);
        if (!key) continue;
        const std::string strong = assertion.header_text("x5t#S256"), weak = assertion.header_text("x5t");
        const std::string kid = assertion.header_text("kid");
        const bool named = !strong.empty() ? strong == thumbprint_sha256(pem)
                           : !weak.empty() ? weak == thumbprint_sha1(pem)
                                           : kid == key->kid() || kid == thumbprint_sha256(pem);
        if (named && key->verifies(*algorithm, assertion.signed_part, assertion.signature)) return true;
    }
    return false;
}

std::optional<HttpReply> unproven_assertion(World& world, const Client& client, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const auto refuse = [&](int code, std::string_view words = {}) {
        return std::optional(refused(identity, entra_refusal(code), words));
    };
    if (request.field("client_assertion_type") != client_assertion_type)
        return refuse(900144, "The request body must contain the following parameter: 'client_assertion_type'.");
    const auto assertion = read_jwt(request.field("client_assertion"));
    if (!assertion) return refuse(50027);
    if (!signed_by_ours(client, *assertion)) return refuse(700027);
    if (assertion->text("iss") != client.id || assertion->text("sub") != client.id)
        return refuse(50012, "Client assertion: 'iss' and 'sub' must both be the client id.");
    if (!meant_for_us(identity, *assertion, request.path)) return refuse(700023);
    const std::int64_t now = identity.seconds_now();
    const auto begins = assertion->number("nbf"), ends = assertion->number("exp");
    constexpr std::int64_t day = 86400;
    if (!ends || *ends + skew_seconds <= now || *ends > now + day || begins.value_or(now) - skew_seconds > now)
        return refuse(700024);
    const std::string id = assertion->text("jti");
    identity.forget_old();
    const Monotonic stale = identity.clock().now() + std::chrono::seconds(*ends - now + skew_seconds);
    if (id.empty() || !identity.assertions.try_emplace(client.id + '|' + id, stale).second)
        return refuse(50013, "Client assertion: 'jti' is missing or was used before.");
    return std::nullopt;
}

}  // namespace

std::string client_id_of(const HttpRequest& request) {
    const auto basic = read_basic(request.basic);
    return basic ? basic->id : request.field("client_id");
}

std::optional<HttpReply> unproven(World& world, const Client& client, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const auto refuse = [&](int entra, std::string_view google) {
        return std::optional(refused(identity, refusal_of(identity, entra, google)));
    };
    const auto basic = read_basic(request.basic);
    const bool with_secret = basic ? !basic->secret.empty() : request.has("client_secret");
    const bool with_assertion = request.has("client_assertion");
    if (!client.confidential()) {
        if (with_secret || with_assertion) return refuse(700025, "google_unauthorized");
        return std::nullopt;
    }
    if (with_assertion) return unproven_assertion(world, client, request);
    if (!with_secret || (client.secret_in_header && !basic)) return refuse(7000218, "google_unauthorized");
    const std::string secret = basic ? basic->secret : request.field("client_secret");
    if (client.secret.empty() || secret != client.secret) return refuse(7000215, "google_unauthorized");
    if (client.secret_expired) return refuse(7000222, "google_unauthorized");
    return std::nullopt;
}

}  // namespace sim
