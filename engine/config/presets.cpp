#include "engine/config/presets.hpp"

#include <algorithm>

#include "protocols/base/ensure.hpp"
#include "protocols/base/text.hpp"

namespace config {
namespace {

/// What differs from cloud to cloud.
struct MicrosoftHosts {
    std::string_view login;
    std::string_view mail, smtp;       // empty: to be named by whoever uses it
    std::string_view person_resource;  // what scopes begin with
    std::string_view own_resource;     // of an application on its own behalf
};

MicrosoftHosts hosts_of(Cloud cloud) {
    switch (cloud) {
        case Cloud::global:
            break;
        case Cloud::gcc_high:
            return {"login.microsoftonline.us", "outlook.office365.us", "smtp.office365.us",
                    "https://outlook.office365.us/", "https://outlook.office365.us/"};
        case Cloud::dod:
            return {"login.microsoftonline.us", "", "", "https://outlook.office365.us/",
                    "https://outlook.office365.us/"};
        case Cloud::china:
            return {"login.partner.microsoftonline.cn", "partner.outlook.cn", "smtp.partner.outlook.cn",
                    "https://partner.outlook.cn/", "https://partner.outlook.cn/"};
    }
    return {"login.microsoftonline.com", "outlook.office365.com", "smtp.office365.com", "https://outlook.office.com/",
            "https://outlook.office365.com/"};
}

bool is_guid(std::string_view tenant) {
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return tenant.size() == form.size() && std::equal(tenant.begin(), tenant.end(), form.begin(), [](char c, char f) {
               const char low = text::lower(c);
               return f == '-' ? c == '-' : (low >= '0' && low <= '9') || (low >= 'a' && low <= 'f');
           });
}

/// The id of the tenant as issuers have it; a domain's is not known here.
std::string tenant_id(std::string_view tenant) {
    if (tenant == "consumers") return std::string(personal_tenant);
    return is_guid(tenant) ? text::lowered(tenant) : "{tenantid}";
}

Provider microsoft365(std::string_view tenant, Cloud cloud) {
    const MicrosoftHosts hosts = hosts_of(cloud);
    const std::string login = "https://" + std::string(hosts.login) + '/';
    const std::string authority = login + std::string(tenant.empty() ? any_tenant : tenant);
    Provider provider;
    provider.preset = "microsoft365";
    provider.tenant = tenant;
    provider.cloud = cloud;
    provider.authorize_url = authority + "/oauth2/v2.0/authorize";
    provider.token_url = authority + "/oauth2/v2.0/token";
    provider.device_url = authority + "/oauth2/v2.0/devicecode";
    provider.jwks_url = authority + "/discovery/v2.0/keys";
    provider.issuer = login + tenant_id(tenant) + "/v2.0";
    provider.sessions.per_credential = 8;  // Exchange refuses a delegate with many: "authenticated but not connected"
    if (!hosts.mail.empty()) {
        const std::string mail(hosts.mail), smtp(hosts.smtp);
        provider.imap = Host{.host = mail, .port = 993, .tls = Tls::implicit};
        provider.pop3 = Host{.host = mail, .port = 995, .tls = Tls::implicit};
        provider.smtp = Host{.host = smtp, .port = 587, .tls = Tls::starttls};
    }
    return provider;
}

std::vector<std::string> microsoft_scopes(Cloud cloud, Flow flow, Uses uses) {
    const MicrosoftHosts hosts = hosts_of(cloud);
    if (flow == Flow::client_credentials) return {std::string(hosts.own_resource) + ".default"};
    const std::string resource(hosts.person_resource);
    std::vector<std::string> scopes;
    if (cloud == Cloud::china) {
        scopes.push_back(resource + ".default");  // 21Vianet 2026-11: refuses the scopes of single protocols
    } else {
        if (uses.imap) scopes.push_back(resource + "IMAP.AccessAsUser.All");
        if (uses.pop3) scopes.push_back(resource + "POP.AccessAsUser.All");
        if (uses.smtp) scopes.push_back(resource + "SMTP.Send");
    }
    for (const auto* common : {"offline_access", "openid", "profile", "email"}) scopes.emplace_back(common);
    return scopes;
}

Provider gmail() {
    Provider provider;
    provider.preset = "gmail";
    provider.authorize_url = "https://accounts.google.com/o/oauth2/v2/auth";
    provider.token_url = "https://oauth2.googleapis.com/token";
    provider.jwks_url = "https://www.googleapis.com/oauth2/v3/certs";
    provider.issuer = "https://accounts.google.com";
    provider.sessions.per_credential = 10;  // Gmail allows 15 to an account, and people's programs need some
    provider.imap = Host{.host = "imap.gmail.com", .port = 993, .tls = Tls::implicit};
    provider.pop3 = Host{.host = "pop.gmail.com", .port = 995, .tls = Tls::implicit};
    provider.smtp = Host{.host = "smtp.gmail.com", .port = 465, .tls = Tls::implicit};
    return provider;
}

}  // namespace

const std::vector<std::string_view>& preset_names() {
    static const std::vector<std::string_view> names{"microsoft365", "gmail"};
    return names;
}

Provider preset(std::string_view preset, std::string_view tenant, Cloud cloud) {
    if (preset == "microsoft365") return microsoft365(tenant, cloud);
    ensure(preset == "gmail", "only known presets are expanded");
    return gmail();
}

std::vector<std::string> issuers_of(const Provider& provider) {
    if (provider.issuer.empty()) return {};
    std::vector<std::string> issuers{provider.issuer};
    if (provider.preset == "gmail") issuers.emplace_back("accounts.google.com");
    return issuers;
}

std::vector<std::string> scopes_of(const Provider& provider, Flow flow, Uses uses) {
    if (!provider.scopes.empty() || flow == Flow::password) return provider.scopes;
    if (provider.preset == "microsoft365") return microsoft_scopes(provider.cloud, flow, uses);
    if (provider.preset == "gmail") {
        if (flow == Flow::service_account) return {"https://mail.google.com/"};
        return {"https://mail.google.com/", "openid", "email"};
    }
    return {};
}

}  // namespace config
