#include "tools/rohrpost-sim/authorize.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/answers.hpp"
#include "tools/rohrpost-sim/pages.hpp"

namespace sim {

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view cookie_name = "sim_browser";
constexpr auto flow_lives_for = std::chrono::minutes(30);

/// A URI without a path gets one (Entra).
std::string with_path(std::string uri) {
    const std::size_t host = uri.find("://");
    if (host != std::string::npos && uri.find_first_of("/?", host + 3) == std::string::npos) uri += '/';
    return uri;
}

/// The browser goes back to the application.
HttpReply back(World& world, const Flow& flow, Fields fields) {
    IdentityProvider& identity = world.identity;
    if (const auto fault = world.faults.strike(FaultKind::authorize_state, flow.account)) {
        std::erase_if(fields, [&](const auto& field) { return fault->row == "missing" && field.first == "state"; });
        for (auto& [name, value] : fields)
            if (name == "state") value = fault->row == "empty" ? "" : "a-state-nobody-sent";
    }
    if (world.faults.strike(FaultKind::authorize_issuer, flow.account))
        fields.emplace_back("iss", "https://evil.example/");
    const std::string uri = identity.rules.manner == Manner::entra ? with_path(flow.redirect_uri) : flow.redirect_uri;
    if (flow.response_mode == "form_post") return form_post_page(uri, fields);
    std::string query;
    for (const auto& [name, value] : fields)
        query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, url_escaped(value));
    const bool fragment = flow.response_mode == "fragment";
    const std::string_view sign = fragment ? "#" : uri.find('?') == std::string::npos ? "?" : "&";
    return {.status = 302, .type = "text/html", .headers = {{"Location", fmt::format("{}{}{}", uri, sign, query)}}};
}

/// The flow is over without a grant.
HttpReply end_refused(World& world, const Flow& flow, const Refusal& refusal) {
    if (flow.device_code.empty()) return back_with_refusal(world, flow, refusal);
    if (const auto device = world.identity.devices.find(flow.device_code); device != world.identity.devices.end())
        device->second.state = DeviceCode::State::declined;
    return done_page(world.identity.rules.manner, "You did not allow the application to go on. Close this window.");
}

HttpReply end_cancelled(World& world, const std::string& id) {
    const Flow flow = world.identity.flows.at(id);
    world.identity.flows.erase(id);
    return end_refused(world, flow, refusal_of(world.identity, 65004, "google_access_denied"));
}

HttpReply finish(World& world, const std::string& id, std::vector<std::string> granted) {
    IdentityProvider& identity = world.identity;
    const Flow flow = identity.flows.at(id);
    identity.flows.erase(id);
    Grant grant{.client = flow.client,
                .user = flow.account,
                .scopes = std::move(granted),
                .tenant_form = flow.tenant_form,
                .family = identity.new_family()};
    if (!flow.device_code.empty()) {
        DeviceCode& device = identity.devices.at(flow.device_code);
        device.grant = std::move(grant);
        device.state = DeviceCode::State::approved;
        return done_page(identity.rules.manner,
                         "You have signed in to the application on your device. You may now close this window.");
    }
    const bool google = identity.rules.manner == Manner::google;
    const std::string scope = joined(grant.scopes);
    const std::string code = (google ? "4/0" : "1.") + identity.drawn(48);
    identity.codes[code] = AuthorizationCode{.grant = std::move(grant),
                                             .redirect_uri = flow.redirect_uri,
                                             .challenge = flow.challenge,
                                             .nonce = flow.nonce,
                                             .offline = flow.offline && (!google || flow.consent_shown),
                                             .until = identity.clock().now() + identity.rules.code_lives_for};
    Fields fields{{"code", code}};
    if (!flow.state.empty()) fields.emplace_back("state", flow.state);
    if (google)
        fields.emplace_back("scope", scope);
    else
        fields.emplace_back("session_state", identity.uuid());
    return back(world, flow, std::move(fields));
}

Frame frame_of(const IdentityProvider& identity, const std::string& id) {
    const Flow& flow = identity.flows.at(id);
    const auto client = identity.clients.find(flow.client);
    return {identity.rules.manner, id, client == identity.clients.end() ? flow.client : client->second.display};
}

/// Who is signed in here: on the workstation, and in this browser.
std::vector<Account> signed_in(const World& world, const HttpRequest& request) {
    std::vector<std::string> names = world.identity.workstation;
    const auto cookie = request.cookies.find(cookie_name);
    const auto browser =
        cookie == request.cookies.end() ? world.identity.browsers.end() : world.identity.browsers.find(cookie->second);
    if (browser != world.identity.browsers.end())
        for (const std::string& name : browser->second)
            if (!holds(names, name)) names.push_back(name);
    std::vector<Account> accounts;
    for (const std::string& name : names)
        if (auto account = world.account(name)) accounts.push_back(std::move(*account));
    return accounts;
}

/// The account is known: consent, or the end.
HttpReply go_on(World& world, const std::string& id) {
    IdentityProvider& identity = world.identity;
    Flow& flow = identity.flows.at(id);
    const auto account = world.account(flow.account);
    if (!account) return page_of_refusal(identity, entra_refusal(50034));
    if (const Refusal* refusal = refused_in(identity, flow.tenant_form, *account))
        return page_of_refusal(
            identity, *refusal,
            fmt::format("User account '{}' from identity provider '{}' does not exist in tenant 'Sim' and "
                        "cannot access the application '{}' in that tenant. The account needs to be added as "
                        "an external user in the tenant first. Sign out and sign in again with a different "
                        "user account.",
                        account->name, issuer_of(identity, account->tenant), flow.client));
    const auto prompts = scopes_in(flow.prompt);
    const bool ask = holds(prompts, "consent") || !identity.consented(flow.client, flow.account, flow.scopes);
    if (!ask) return finish(world, id, flow.scopes);
    if (holds(prompts, "none")) {
        const Flow over = flow;
        identity.flows.erase(id);
        const Refusal* refusal = refusal_named("consent_required");
        return end_refused(world, over, *refusal);
    }
    flow.consent_shown = true;
    return consent_page(frame_of(identity, id), *account, flow.scopes);
}

/// Nobody is chosen yet. Without a prompt a sole signed-in user goes straight through, whatever login_hint says:
/// single sign-on, and how the wrong person consents.
HttpReply choose(World& world, const std::string& id, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    Flow& flow = identity.flows.at(id);
    const auto accounts = signed_in(world, request);
    const auto prompts = scopes_in(flow.prompt);
    const auto hinted = std::find_if(accounts.begin(), accounts.end(),
                                     [&](const Account& account) { return text::same(account.name, flow.login_hint); });
    const std::string preselected = hinted == accounts.end() ? std::string() : hinted->name;
    const bool silent = !holds(prompts, "login") && !holds(prompts, "select_account");
    if (silent && accounts.size() == 1)
        flow.account = accounts.front().name;
    else if (silent)
        flow.account = preselected;
    if (!flow.account.empty()) return go_on(world, id);
    if (holds(prompts, "none")) {
        const Flow over = flow;
        identity.flows.erase(id);
        const Refusal* refusal = refusal_named("login_required");
        return end_refused(world, over, *refusal);
    }
    if (accounts.empty() || holds(prompts, "login")) return sign_in_page(frame_of(identity, id), flow.login_hint, {});
    return picker_page(frame_of(identity, id), accounts, preselected);
}

HttpReply sign_in(World& world, const std::string& id, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const std::string username(text::trimmed(request.field("username")));
    const auto account = world.account(username);
    if (!account)
        return sign_in_page(frame_of(identity, id), username,
                            "We couldn't find an account with that username. Try another, or get a new account.");
    if (request.field("password") != account->password)
        return sign_in_page(frame_of(identity, id), username, "Your account or password is incorrect.");
    const auto cookie = request.cookies.find(cookie_name);
    const bool known = cookie != request.cookies.end() && identity.browsers.contains(cookie->second);
    const std::string browser = known ? cookie->second : identity.drawn(16);
    auto& names = identity.browsers[browser];
    if (!holds(names, account->name)) names.push_back(account->name);
    identity.flows.at(id).account = account->name;
    HttpReply reply = go_on(world, id);
    if (!known)
        reply.headers.emplace_back("Set-Cookie",
                                   fmt::format("{}={}; Path=/; Secure; HttpOnly; SameSite=None", cookie_name, browser));
    return reply;
}

HttpReply pick(World& world, const std::string& id, const HttpRequest& request) {
    const std::string name = request.field("account");
    Flow& flow = world.identity.flows.at(id);
    if (name.empty()) return sign_in_page(frame_of(world.identity, id), {}, {});
    const auto accounts = signed_in(world, request);
    const bool here =
        std::any_of(accounts.begin(), accounts.end(), [&](const Account& account) { return account.name == name; });
    if (!here) return sign_in_page(frame_of(world.identity, id), name, {});
    flow.account = name;
    return go_on(world, id);
}

HttpReply answer_consent(World& world, const std::string& id, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const Flow& flow = identity.flows.at(id);
    if (request.field("consent") != "accept") return end_cancelled(world, id);
    std::vector<std::string> granted;
    for (std::size_t at = 0; at < flow.scopes.size(); ++at) {
        const bool kept = identity.rules.manner == Manner::entra || request.has(fmt::format("scope_{}", at));
        if (kept) granted.push_back(flow.scopes[at]);
    }
    identity.consent(flow.client, flow.account, granted);
    return finish(world, id, std::move(granted));
}

/// What a page sent back.
HttpReply continued(World& world, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const std::string id = request.field("flow");
    const auto flow = identity.flows.find(id);
    if (flow == identity.flows.end() || flow->second.until <= identity.clock().now())
        return error_page(identity.rules.manner, 400, "We're sorry, this page is not valid any more.",
                          described(identity, entra_refusal(50089)));
    if (request.method != "POST") return page_of_refusal(identity, entra_refusal(900561));
    if (request.field("step") == "cancel") return end_cancelled(world, id);
    if (request.field("step") == "sign_in") return sign_in(world, id, request);
    if (request.has("consent") && flow->second.consent_shown) return answer_consent(world, id, request);
    if (request.has("account")) return pick(world, id, request);
    return page_of_refusal(identity, entra_refusal(9002313));
}

}  // namespace

HttpReply page_of_refusal(IdentityProvider& identity, const Refusal& refusal, std::string_view words) {
    const Manner manner = identity.rules.manner;
    if (manner == Manner::google && refusal.code == 0) {
        const std::string_view said = words.empty() ? refusal.words : words;
        return error_page(manner, refusal.status, "Access blocked: Authorization Error",
                          fmt::format("{} Error {}: {}", said, refusal.status, refusal.error));
    }
    return error_page(manner, 400, "Sorry, but we're having trouble signing you in.",
                      described(identity, refusal, words));
}

HttpReply back_with_refusal(World& world, const Flow& flow, const Refusal& refusal, std::string_view words) {
    Fields fields{{"error", std::string(refusal.error)}};
    if (refusal.code != 0) {
        fields.emplace_back("error_description", described(world.identity, refusal, words));
        if (refusal.code == 65004) fields.emplace_back("error_subcode", "cancel");
    }
    if (!flow.state.empty()) fields.emplace_back("state", flow.state);
    return back(world, flow, std::move(fields));
}

HttpReply begin_flow(World& world, Flow flow, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    identity.forget_old();
    const std::string id = identity.drawn(24);
    flow.until = identity.clock().now() + flow_lives_for;
    identity.flows[id] = std::move(flow);
    return choose(world, id, request);
}

HttpReply answer_authorize(World& world, const HttpRequest& request) {
    const auto flow = world.identity.flows.find(request.field("flow"));
    const std::string user = flow == world.identity.flows.end() ? request.field("login_hint") : flow->second.account;
    if (world.faults.strike(FaultKind::authorize_500, user))
        return {.status = 500,
                .type = "text/html",
                .body = "<html><body><h1>Our services aren't available right now</h1></body></html>"};
    HttpReply reply = request.has("flow") ? continued(world, request) : begin_authorization(world, request);
    if (const auto slow = world.faults.strike(FaultKind::authorize_slow, user))
        reply.after = std::chrono::milliseconds(slow->value == 0 ? 5000 : slow->value);
    return reply;
}

}  // namespace sim
