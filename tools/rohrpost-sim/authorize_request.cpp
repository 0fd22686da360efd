#include <fmt/format.h>

#include "tools/rohrpost-sim/answers.hpp"
#include "tools/rohrpost-sim/authorize.hpp"

namespace sim {

namespace {

constexpr std::size_t challenge_bytes_min = 43, challenge_bytes_max = 128;  // RFC 7636 §4.2

/// The redirect is right: whatever else is wrong is told to the application.
HttpReply begin_checked(World& world, const Client& client, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const Manner manner = identity.rules.manner;
    Flow flow{.client = client.id,
              .redirect_uri = request.field("redirect_uri"),
              .response_mode = request.field("response_mode"),
              .state = request.field("state"),
              .nonce = request.field("nonce"),
              .challenge = request.field("code_challenge"),
              .prompt = request.field("prompt"),
              .login_hint = request.field("login_hint"),
              .tenant_form = tenant_in(request.path),
              .scopes = scopes_in(request.field("scope"))};
    flow.offline =
        manner == Manner::google ? request.field("access_type") == "offline" : holds(flow.scopes, "offline_access");
    if (const auto fault = world.faults.strike(FaultKind::authorize_error, flow.login_hint))
        return back_with_refusal(world, flow, *refusal_named(fault->row));
    const auto wrong = [&](int entra, std::string_view google, std::string_view words = {}) {
        return back_with_refusal(world, flow, refusal_of(identity, entra, google), words);
    };
    const std::string& mode = flow.response_mode;
    if (!mode.empty() && mode != "query" && mode != "fragment" && mode != "form_post") {
        flow.response_mode.clear();
        return wrong(90023, "google_invalid_request", "The value of 'response_mode' is not supported.");
    }
    if (request.field("response_type") != "code")
        return wrong(
            700054, "google_invalid_request",
            fmt::format("response_type '{}' is not enabled for the application.", request.field("response_type")));
    if (flow.scopes.empty())
        return wrong(900144, "google_invalid_request", "The request must contain the following parameter: 'scope'.");
    if (const std::string foreign = foreign_scope(identity, flow.scopes); !foreign.empty())
        return wrong(70011, "google_invalid_scope",
                     fmt::format("The provided value for the input parameter 'scope' is not valid. The scope '{}' is "
                                 "not valid.",
                                 foreign));
    if (flow.challenge.empty() && client.pkce_required) return wrong(9002325, "google_invalid_request");
    if (!flow.challenge.empty()) {
        if (request.field("code_challenge_method") != "S256")
            return wrong(501491, "google_invalid_request", "Only the code_challenge_method S256 is supported.");
        if (flow.challenge.size() < challenge_bytes_min || flow.challenge.size() > challenge_bytes_max)
            return wrong(501491, "google_invalid_request");
    }
    return begin_flow(world, std::move(flow), request);
}

}  // namespace

HttpReply begin_authorization(World& world, const HttpRequest& request) {
    IdentityProvider& identity = world.identity;
    const Manner manner = identity.rules.manner;
    const std::string tenant_form = tenant_in(request.path);
    const TenantKind tenant = kind_of_tenant(identity, tenant_form);
    if (tenant == TenantKind::unknown)
        return page_of_refusal(identity, entra_refusal(90002), fmt::format("Tenant '{}' not found.", tenant_form));
    const std::string client_id = request.field("client_id");
    const auto found = identity.clients.find(client_id);
    if (found == identity.clients.end())
        return page_of_refusal(
            identity, refusal_of(identity, 700016, "google_client_not_found"),
            manner == Manner::google
                ? std::string()
                : fmt::format("Application with identifier '{}' was not found in the directory 'Sim'.", client_id));
    const Client& client = found->second;
    if (tenant == TenantKind::any && !client.multi_tenant) return page_of_refusal(identity, entra_refusal(50194));
    const std::string redirect_uri = request.field("redirect_uri");
    if (client.redirect_uris.empty())
        return page_of_refusal(identity, refusal_of(identity, 900971, "google_redirect_uri_mismatch"));
    if (!redirect_registered(client, redirect_uri, manner))
        return page_of_refusal(
            identity, refusal_of(identity, 50011, "google_redirect_uri_mismatch"),
            manner == Manner::google
                ? fmt::format("You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 "
                              "policy. If you're the app developer, register the redirect URI: {}",
                              redirect_uri)
                : fmt::format("The redirect URI '{}' specified in the request does not match the redirect URIs "
                              "configured for the application '{}'. Make sure the redirect URI sent in the "
                              "request matches one added to your application in the Azure portal.",
                              redirect_uri, client_id));
    if (const auto fault = world.faults.strike(FaultKind::authorize_page, request.field("login_hint")))
        return page_of_refusal(identity, *refusal_named(fault->row));

    return begin_checked(world, client, request);
}

std::string foreign_scope(const IdentityProvider& identity, const std::vector<std::string>& scopes) {
    static const std::vector<std::string> about_people{"openid", "profile", "email", "offline_access"};
    static const std::vector<std::string> of_mail{"IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send",
                                                  ".default"};
    static const std::vector<std::string> of_graph{"User.Read", "Mail.Read", "Mail.Send"};
    static const std::vector<std::string> of_google{"openid", "email", "profile", "https://mail.google.com/",
                                                    "https://www.googleapis.com/auth/gmail.imap_admin"};
    for (const std::string& scope : scopes) {
        if (identity.rules.manner == Manner::google) {
            if (!holds(of_google, scope)) return scope;
            continue;
        }
        bool known = holds(about_people, scope);
        for (const std::string_view resource :
             {"https://outlook.office.com/", "https://outlook.office365.com/", "https://graph.microsoft.com/", ""}) {
            if (!scope.starts_with(resource)) continue;
            const std::string_view right = std::string_view(scope).substr(resource.size());
            known = known || holds(of_mail, right);
            if (resource.empty() || resource.find("graph") != std::string_view::npos)
                known = known || holds(of_graph, right);
        }
        if (!known) return scope;
    }
    return {};
}

}  // namespace sim
