#include <fmt/format.h>

#include <boost/json.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/answers.hpp"
#include "tools/rohrpost-sim/authorize.hpp"
#include "tools/rohrpost-sim/client_proof.hpp"

namespace sim {

namespace json = boost::json;

namespace {

constexpr std::uint64_t huge_bytes = 64 * 1024 * 1024;
constexpr std::string_view imap_scope = "https://outlook.office.com/IMAP.AccessAsUser.All";
constexpr std::string_view graph = "https://graph.microsoft.com";
constexpr std::string_view device_grant = "urn:ietf:params:oauth:grant-type:device_code";
constexpr std::string_view assertion_grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// "https://outlook.office.com" of a scope; empty: about people, of no resource. Bare names are Graph's.
std::string resource_of(std::string_view scope) {
    for (const std::string_view one : {"openid", "profile", "email", "offline_access"})
        if (scope == one) return {};
    const std::size_t host = scope.find("://");
    if (host == std::string_view::npos) return std::string(graph);
    return std::string(scope.substr(0, scope.find('/', host + 3)));
}

std::vector<std::string> resources_of(const std::vector<std::string>& scopes) {
    std::vector<std::string> resources;
    for (const std::string& scope : scopes) {
        std::string resource = resource_of(scope);
        if (!resource.empty() && !holds(resources, resource)) resources.push_back(std::move(resource));
    }
    return resources;
}

/// Those that one token can stand for: of the first resource, and those about people.
std::vector<std::string> of_first_resource(const std::vector<std::string>& scopes) {
    const auto resources = resources_of(scopes);
    std::vector<std::string> kept;
    for (const std::string& scope : scopes) {
        const std::string resource = resource_of(scope);
        if (resource.empty() || resource == resources.front()) kept.push_back(scope);
    }
    return kept;
}

struct Wish {
    Grant grant;
    TokenBook::Pair pair;
    std::string nonce{};
};

/// A good answer. Scopes that stand for Graph get a token that no mail server takes.
HttpReply granted(World& world, Wish wish) {
    IdentityProvider& identity = world.identity;
    Grant& grant = wish.grant;
    const bool google = identity.rules.manner == Manner::google;
    const auto one_resource = google ? grant.scopes : of_first_resource(grant.scopes);
    const auto resources = resources_of(one_resource);
    if (!google && !resources.empty() && resources.front() == graph) {
        world.tokens.end(wish.pair.access_token);
        wish.pair.access_token = world.tokens.issue({});
    }
    std::vector<std::string> told;
    for (const std::string& scope : one_resource)
        if (scope != "offline_access") told.push_back(scope);
    if (grant.scopes.empty()) told.emplace_back(google ? "https://mail.google.com/" : imap_scope);
    if (const auto fault = world.faults.strike(FaultKind::token_scope, grant.user)) {
        told.clear();
        for (const std::string_view scope : text::split(fault->row, ',')) told.emplace_back(scope);
    }
    json::object body{{"token_type", "Bearer"},
                      {"scope", joined(told)},
                      {"expires_in", wish.pair.expires_in.count()},
                      {"access_token", wish.pair.access_token}};
    if (!google) body["ext_expires_in"] = wish.pair.expires_in.count();
    if (const auto fault = world.faults.strike(FaultKind::token_expires_in, grant.user)) {
        boost::system::error_code malformed;
        const json::value value = json::parse(fault->row, malformed);
        body["expires_in"] = malformed ? json::value(fault->row) : value;
    }
    const bool kept_back = world.faults.strike(FaultKind::token_no_refresh, grant.user).has_value();
    if (!wish.pair.refresh_token.empty() && !kept_back) body["refresh_token"] = wish.pair.refresh_token;
    const std::string id_token = id_token_of(world, grant, wish.nonce, wish.pair.access_token);
    if (!id_token.empty()) body["id_token"] = id_token;
    return {.body = json::serialize(body)};
}

/// Tokens for a consent that was just given.
HttpReply begin_grant(World& world, Grant grant, bool offline, std::string nonce) {
    IdentityProvider& identity = world.identity;
    TokenBook::Pair pair = offline ? world.tokens.begin(grant.user) : world.tokens.issue_alone(grant.user);
    identity.remember_access_token(grant.family, pair.access_token);
    if (offline) identity.grants[pair.refresh_token] = grant;
    return granted(world, {std::move(grant), std::move(pair), std::move(nonce)});
}

HttpReply refuse(World& world, int entra, std::string_view google, std::string_view words = {}) {
    return refused(world.identity, refusal_of(world.identity, entra, google), words);
}

/// Whether the verifier is what the challenge was made of. RFC 7636 §4.6; one without the other is a mistake, too.
bool verifier_fits(const std::string& challenge, const std::string& verifier) {
    if (challenge.empty() || verifier.empty()) return challenge.empty() && verifier.empty();
    return base64url_encoded(sha256(verifier)) == challenge;
}

HttpReply redeem_code(World& world, const std::string& client_id, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const auto found = identity.codes.find(request.field("code"));
    if (found == identity.codes.end())
        return refuse(world, 70000, "google_malformed_code",
                      identity.rules.manner == Manner::google
                          ? ""
                          : "The provided value for the input parameter 'code' is not valid.");
    AuthorizationCode& code = found->second;
    if (code.grant.client != client_id) return refuse(world, 70000, "google_bad_request");
    if (code.used) {
        world.end_family(code.grant.family);  // RFC 6749 §4.1.2
        return refuse(world, 54005, "google_bad_request");
    }
    if (code.until <= identity.clock().now()) return refuse(world, 70008, "google_bad_request");
    if (code.grant.tenant_form != tenant_in(request.path)) return refuse(world, 700005, "google_bad_request");
    if (code.redirect_uri != request.field("redirect_uri"))
        return refuse(world, 500112, "google_redirect_uri_mismatch",
                      fmt::format("The reply address '{}' does not match the reply address '{}' provided when "
                                  "requesting Authorization code.",
                                  request.field("redirect_uri"), code.redirect_uri));
    if (!verifier_fits(code.challenge, request.field("code_verifier")))
        return refuse(world, 501481, "google_code_verifier");
    Grant grant = code.grant;
    if (identity.rules.manner == Manner::entra && request.has("scope")) {
        const auto asked = scopes_in(request.field("scope"));
        if (resources_of(asked).size() > 1) return refuse(world, 700022, "google_invalid_scope");
        if (!identity.consented(client_id, grant.user, asked)) return refuse(world, 65001, "google_invalid_scope");
        grant.scopes = asked;
    }
    code.used = true;
    return begin_grant(world, std::move(grant), code.offline, code.nonce);
}

HttpReply poll_device(World& world, const std::string& client_id, const HttpRequest& request) {
    using State = DeviceCode::State;
    constexpr std::chrono::seconds slower(5);  // RFC 8628 §3.5
    IdentityProvider& identity = world.identity;
    const auto found = identity.devices.find(request.field("device_code"));
    if (found == identity.devices.end() || found->second.grant.client != client_id ||
        found->second.grant.tenant_form != tenant_in(request.path))
        return refuse(world, 70018, "google_bad_request");
    DeviceCode& device = found->second;
    const Monotonic now = identity.clock().now();
    if (device.until <= now) return refuse(world, 70019, "google_device_expired");
    if (device.state == State::used) return refuse(world, 54005, "google_bad_request");
    const bool hasty = device.polled != Monotonic{} && now < device.polled + device.interval;
    device.polled = now;
    if (hasty) {
        device.interval += slower;
        return refused(identity,
                       *refusal_named(identity.rules.manner == Manner::google ? "google_slow_down" : "slow_down"));
    }
    if (device.state == State::waiting) return refuse(world, 70016, "google_authorization_pending");
    if (device.state == State::declined)
        return refused(identity, *refusal_named(identity.rules.manner == Manner::google ? "google_device_denied"
                                                                                        : "authorization_declined"));
    device.state = State::used;
    const bool offline = identity.rules.manner == Manner::google || holds(device.grant.scopes, "offline_access");
    return begin_grant(world, device.grant, offline, {});
}

/// Refresh tokens of an earlier run, and those that an operator was given, are known by their user alone.
HttpReply refresh(World& world, const std::string& client_id, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const bool google = identity.rules.manner == Manner::google;
    const std::string token = request.field("refresh_token");
    const auto known = identity.grants.find(token);
    Grant grant{.client = client_id, .user = world.tokens.user_of(token), .tenant_form = tenant_in(request.path)};
    if (known != identity.grants.end()) {
        if (known->second.client != client_id)
            return refused(identity, *refusal_named(google ? "google_unauthorized" : "suberror_client_mismatch"));
        grant = known->second;
    }
    const auto asked = scopes_in(request.field("scope"));
    if (!asked.empty() && known != identity.grants.end()) {
        const bool consented = google ? std::all_of(asked.begin(), asked.end(),
                                                    [&](const std::string& one) { return holds(grant.scopes, one); })
                                      : identity.consented(client_id, grant.user, asked);
        if (!consented) return refuse(world, 65001, "google_invalid_scope");
    }
    const std::vector<std::string> all = grant.scopes;
    auto pair = world.tokens.refresh(token);
    if (!pair) return refuse(world, 50173, "google_revoked");
    if (known != identity.grants.end()) {
        identity.remember_access_token(grant.family, pair->access_token);
        if (!google) identity.grants[pair->refresh_token] = grant;
    }
    if (google && identity.rules.strict) pair->refresh_token.clear();  // the old one stays
    if (!asked.empty()) grant.scopes = asked;
    return granted(world, {std::move(grant), std::move(*pair)});
}

HttpReply app_only(World& world, const Client* client, const std::string& client_id, const HttpRequest& request) {
    const std::string tenant_form = tenant_in(request.path);
    if (kind_of_tenant(world.identity, tenant_form) == TenantKind::any)
        return refuse(world, 9001023, "google_unsupported_grant_type");
    const auto scopes = scopes_in(request.field("scope"));
    if (client != nullptr) {
        if (!client->confidential()) return refuse(world, 7000218, "google_unauthorized");
        const bool whole = std::all_of(scopes.begin(), scopes.end(),
                                       [](const std::string& scope) { return scope.ends_with("/.default"); });
        if (scopes.empty() || !whole) return refuse(world, 1002012, "google_invalid_scope");
        if (resources_of(scopes).size() > 1) return refuse(world, 700022, "google_invalid_scope");
    }
    const std::string user = world.population().shared_user;  // the application's service principal
    Grant grant{.client = client_id, .user = user, .scopes = scopes, .tenant_form = tenant_form};
    return granted(world, {std::move(grant), world.tokens.issue_alone(user)});
}

/// Google's service account: RFC 7523 with `sub` for domain-wide delegation.
HttpReply service_account(World& world, const HttpRequest& request) {
    constexpr std::int64_t hour = 3600, skew = 300;
    IdentityProvider& identity = world.identity;
    const auto say = [&](std::string_view name, std::string_view words = {}) {
        return refused(identity, *refusal_named(name), words);
    };
    const auto assertion = read_jwt(request.field("assertion"));
    if (!assertion) return say("google_invalid_jwt", "Invalid JWT: Failed to parse.");
    const auto account = identity.service_accounts.find(assertion->text("iss"));
    if (account == identity.service_accounts.end()) return say("google_account_not_found");
    const auto key = RsaKey::from_pem(account->second.key_pem);
    const bool right = key && assertion->algorithm() == Algorithm::rs256 &&
                       key->verifies(Algorithm::rs256, assertion->signed_part, assertion->signature);
    if (!right) return say("google_invalid_jwt_signature");
    if (assertion->text("aud") != identity.rules.base_url + request.path)
        return say("google_invalid_jwt",
                   "Invalid JWT: Failed audience check. The right audience is the token endpoint.");
    const std::int64_t now = identity.seconds_now();
    const auto issued = assertion->number("iat"), ends = assertion->number("exp");
    const bool timely = issued && ends && *issued <= now + skew && now < *ends + skew && *ends - *issued <= hour;
    if (!timely) return say("google_invalid_jwt");
    const auto scopes = scopes_in(assertion->text("scope"));
    if (scopes.empty() || !foreign_scope(identity, scopes).empty()) return say("google_invalid_scope");
    if (!account->second.delegated) return say("google_unauthorized_client");
    const auto user = world.account(assertion->text("sub"));
    if (!user) return say("google_invalid_user");
    const TokenBook::Pair pair = world.tokens.issue_alone(user->name);
    return {
        .body = json::serialize(json::object{
            {"access_token", pair.access_token}, {"expires_in", pair.expires_in.count()}, {"token_type", "Bearer"}})};
}

/// The answer of a healthy endpoint.
HttpReply honest_answer(World& world, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const std::string grant_type = request.field("grant_type");
    const std::string tenant_form = tenant_in(request.path);
    if (kind_of_tenant(identity, tenant_form) == TenantKind::unknown)
        return refused(identity, entra_refusal(90002), fmt::format("Tenant '{}' not found.", tenant_form));
    if (grant_type == assertion_grant && identity.rules.manner == Manner::google)
        return service_account(world, request);
    const std::string client_id = client_id_of(request);
    if (client_id.empty()) return refuse(world, 900144, "google_invalid_request");
    const auto found = identity.clients.find(client_id);
    const Client* client = found == identity.clients.end() ? nullptr : &found->second;
    const bool easy = !identity.rules.strict && (grant_type == "refresh_token" || grant_type == "client_credentials");
    if (client == nullptr && !easy)
        return refuse(
            world, 700016, "google_client_not_found",
            identity.rules.manner == Manner::google
                ? std::string()
                : fmt::format("Application with identifier '{}' was not found in the directory 'Sim'.", client_id));
    if (client != nullptr)
        if (auto refusal = unproven(world, *client, request)) return std::move(*refusal);
    if (grant_type == "authorization_code") return redeem_code(world, client_id, request);
    if (grant_type == device_grant) return poll_device(world, client_id, request);
    if (grant_type == "refresh_token") return refresh(world, client_id, request);
    if (grant_type == "client_credentials") return app_only(world, client, client_id, request);
    return refuse(world, 70003, "google_unsupported_grant_type");
}

/// Whose grant a request is about, for the faults of one user.
std::string user_of(const World& world, const HttpRequest& request) {
    if (const auto code = world.identity.codes.find(request.field("code")); code != world.identity.codes.end())
        return code->second.grant.user;
    if (const auto device = world.identity.devices.find(request.field("device_code"));
        device != world.identity.devices.end())
        return device->second.grant.user;
    return world.tokens.user_of(request.field("refresh_token"));
}

}  // namespace

HttpReply answer_token(World& world, const HttpRequest& request) {
    ++world.counters.token_requests;
    if (request.method != "POST") return refused(world.identity, entra_refusal(900561));
    const std::string user = user_of(world, request);
    const auto struck = [&](FaultKind kind) { return world.faults.strike(kind, user); };
    if (struck(FaultKind::token_drop)) return {.dropped = true};
    if (struck(FaultKind::token_html))
        return {.status = 500,
                .type = "text/html",
                .body = "<html><body><h1>Our services aren't available</h1></body></html>"};
    if (struck(FaultKind::token_invalid_grant)) return refused(world.identity, entra_refusal(50173));
    if (const auto throttled = struck(FaultKind::token_throttled))
        return {.status = 429,
                .type = "text/plain",
                .body = "Too Many Requests",
                .retry_after = std::chrono::seconds(throttled->value == 0 ? 5 : throttled->value)};
    if (const auto fault = struck(FaultKind::token_error)) {
        HttpReply reply = refused(world.identity, *refusal_named(fault->row));
        if (fault->value != 0) reply.retry_after = std::chrono::seconds(fault->value);
        return reply;
    }
    if (const auto huge = struck(FaultKind::token_huge))
        return {.body = std::string(huge->value == 0 ? huge_bytes : huge->value, ' ')};
    HttpReply reply = honest_answer(world, request);
    if (const auto slow = struck(FaultKind::token_slow))
        reply.after = std::chrono::milliseconds(slow->value == 0 ? 5000 : slow->value);
    return reply;
}

HttpReply answer_introspection(World& world, const HttpRequest& request) {
    ++world.counters.introspections;
    const std::string token = request.bearer.empty() ? request.field("token") : request.bearer;
    const auto holder = world.tokens.holder_of(token);
    if (!holder || holder->user.empty()) return {.body = R"({"active":false})"};
    const json::object body{
        {"active", true}, {"username", holder->user}, {"email", holder->user}, {"token_type", "Bearer"}};
    return {.body = json::serialize(body)};
}

}  // namespace sim
