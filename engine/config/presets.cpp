#include "engine/config/presets.hpp"

#include "protocols/base/ensure.hpp"

namespace config {
namespace {

Provider microsoft365(std::string_view tenant) {
    const std::string authority =
        "https://login.microsoftonline.com/" + std::string(tenant.empty() ? any_tenant : tenant) + "/oauth2/v2.0/";
    Provider provider;
    provider.preset = "microsoft365";
    provider.tenant = tenant;
    provider.authorize_url = authority + "authorize";
    provider.token_url = authority + "token";
    provider.device_url = authority + "devicecode";
    provider.imap = Host{.host = "outlook.office365.com", .port = 993, .tls = Tls::implicit};
    provider.pop3 = Host{.host = "outlook.office365.com", .port = 995, .tls = Tls::implicit};
    provider.smtp = Host{.host = "smtp.office365.com", .port = 587, .tls = Tls::starttls};
    return provider;
}

Provider gmail() {
    Provider provider;
    provider.preset = "gmail";
    provider.authorize_url = "https://accounts.google.com/o/oauth2/v2/auth";
    provider.token_url = "https://oauth2.googleapis.com/token";
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

Provider preset(std::string_view preset, std::string_view tenant) {
    if (preset == "microsoft365") return microsoft365(tenant);
    ensure(preset == "gmail", "only known presets are expanded");
    return gmail();
}

std::vector<std::string> scopes_of(const Provider& provider, Flow flow, Uses uses) {
    if (!provider.scopes.empty() || flow == Flow::password) return provider.scopes;
    if (provider.preset == "microsoft365") {
        if (flow == Flow::client_credentials) return {"https://outlook.office365.com/.default"};
        std::vector<std::string> scopes;
        if (uses.imap) scopes.emplace_back("https://outlook.office.com/IMAP.AccessAsUser.All");
        if (uses.pop3) scopes.emplace_back("https://outlook.office.com/POP.AccessAsUser.All");
        if (uses.smtp) scopes.emplace_back("https://outlook.office.com/SMTP.Send");
        for (const auto* common : {"offline_access", "openid", "profile", "email"}) scopes.emplace_back(common);
        return scopes;
    }
    if (provider.preset == "gmail") {
        if (flow == Flow::service_account) return {"https://mail.google.com/"};
        return {"https://mail.google.com/", "openid", "email"};
    }
    return {};
}

}  // namespace config
