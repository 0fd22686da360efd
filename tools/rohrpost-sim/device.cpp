#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/answers.hpp"
#include "tools/rohrpost-sim/authorize.hpp"
#include "tools/rohrpost-sim/pages.hpp"

namespace sim {

namespace json = boost::json;

namespace {

/// Letters only, as people type them.
std::string plain_code(std::string_view typed) {
    std::string letters;
    for (const char c : typed)
        if (c != '-' && c != ' ') letters += text::upper(c);
    return letters;
}

}  // namespace

HttpReply answer_device_code(World& world, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const bool google = identity.rules.manner == Manner::google;
    if (request.method != "POST") return refused(identity, entra_refusal(900561));
    const std::string tenant_form = tenant_in(request.path);
    if (kind_of_tenant(identity, tenant_form) == TenantKind::unknown) return refused(identity, entra_refusal(90002));
    const auto client = identity.clients.find(request.field("client_id"));
    if (client == identity.clients.end())
        return refused(identity, refusal_of(identity, 700016, "google_client_not_found"));
    if (!client->second.device_code_allowed)
        return refused(identity, refusal_of(identity, 7000218, "google_unauthorized"));
    const auto scopes = scopes_in(request.field("scope"));
    // Google's device flow does not offer the scope of mail.
    const bool mail_at_google = google && holds(scopes, "https://mail.google.com/");
    if (scopes.empty() || mail_at_google || !foreign_scope(identity, scopes).empty())
        return refused(identity, refusal_of(identity, 70011, "google_invalid_scope"));

    identity.forget_old();
    const std::string device_code = identity.drawn(48);
    const auto& rules = identity.rules;
    DeviceCode device{.user_code = identity.drawn_user_code(),
                      .grant = {.client = client->first, .scopes = scopes, .tenant_form = tenant_form},
                      .interval = rules.poll_interval,
                      .until = identity.clock().now() + rules.device_code_lives_for};
    const std::string uri = rules.base_url + "/device";
    json::object body{{"device_code", device_code},
                      {"user_code", device.user_code},
                      {google ? "verification_url" : "verification_uri", uri},
                      {"expires_in", rules.device_code_lives_for.count()},
                      {"interval", rules.poll_interval.count()}};
    if (!google)
        body["message"] = fmt::format(
            "To sign in, use a web browser to open the page {} and enter the code {} to "
            "authenticate.",
            uri, device.user_code);
    identity.devices[device_code] = std::move(device);
    return {.body = json::serialize(body)};
}

HttpReply answer_device_page(World& world, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const Manner manner = identity.rules.manner;
    const std::string typed = request.field("user_code");
    if (request.method != "POST") return user_code_page(manner, typed, {});
    const auto device = std::find_if(identity.devices.begin(), identity.devices.end(), [&](const auto& one) {
        return one.second.state == DeviceCode::State::waiting && identity.clock().now() < one.second.until &&
               plain_code(one.second.user_code) == plain_code(typed);
    });
    if (device == identity.devices.end())
        return user_code_page(manner, typed, "That code didn't work. Check the code and try again.");
    Flow flow{.client = device->second.grant.client,
              .prompt = "select_account",  // always asks who it is to be
              .tenant_form = device->second.grant.tenant_form,
              .scopes = device->second.grant.scopes,
              .device_code = device->first};
    return begin_flow(world, std::move(flow), request);
}

}  // namespace sim
