#include <fmt/format.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "tools/rohrpost-sim/answers.hpp"
#include "tools/rohrpost-sim/provider.hpp"

namespace sim {

namespace json = boost::json;

namespace {

json::object credential(const Options& options, const World& world, const std::string& id, const std::string& user) {
    json::object made{
        {"id", id}, {"provider", "rig"}, {"user", user}, {"flow", options.flow}, {"client_id", "rohrpost-sim"}};
    if (options.oidc && !options.client.secret.empty())
        made["client_secret"] = json::object{{"value", options.client.secret}};
    if (options.flow == "refresh_token")
        made["refresh_token"] = json::object{{"value", world.tokens.first_refresh_token(user)}};
    return made;
}

/// Where everything of the identity provider is.
void add_identity(json::object& provider, const Options& options, const World& world) {
    const IdentityProvider& identity = world.identity;
    const std::string& base = identity.rules.base_url;
    const bool google = identity.rules.manner == Manner::google;
    const std::string place = base + '/' + identity.rules.tenant;
    provider["authorize_url"] = google ? base + "/o/oauth2/v2/auth" : place + "/oauth2/v2.0/authorize";
    provider["token_url"] = google ? base + "/token" : place + "/oauth2/v2.0/token";
    provider["device_url"] = google ? base + "/device/code" : place + "/oauth2/v2.0/devicecode";
    provider["jwks_url"] = google ? base + "/oauth2/v3/certs" : place + "/discovery/v2.0/keys";
    provider["issuer"] = issuer_of(identity, identity.rules.tenant);
    if (google)
        provider["scopes"] = json::array{"https://mail.google.com/", "openid", "email", "profile"};
    else if (options.flow == "client_credentials")
        provider["scopes"] = json::array{"https://outlook.office365.com/.default"};
    else
        provider["scopes"] = json::array{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access", "openid",
                                         "profile", "email"};
}

json::object consumer(const std::string& wish) {
    constexpr std::string_view maildir = "maildir:";
    if (wish == "pull") return {{"id", "inbox"}, {"kind", "pull"}};
    if (!wish.starts_with(maildir)) throw std::runtime_error("--consumer: expected pull or maildir:PATH, not " + wish);
    const auto path = std::filesystem::absolute(wish.substr(maildir.size()));
    return {{"id", "inbox"}, {"kind", "maildir"}, {"path", path.string()}};
}

}  // namespace

std::string import_document(const Options& options, const Ports& ports, const World& world,
                            const std::filesystem::path& ca_file) {
    json::object provider{{"id", "rig"},
                          {"token_url", fmt::format("https://localhost:{}/token", ports.https)},
                          {"scopes", json::array{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"}},
                          {"ca_file", std::filesystem::absolute(ca_file).string()},
                          {"imap", json::object{{"host", "localhost"}, {"port", ports.imap}, {"tls", "implicit"}}}};
    const bool pop3 = options.protocol == "pop3";
    if (pop3) {
        provider["pop3"] = json::object{{"host", "localhost"}, {"port", ports.pop3}, {"tls", "implicit"}};
        provider["scopes"] = json::array{"https://outlook.office.com/POP.AccessAsUser.All", "offline_access"};
    }
    if (options.submit_per_minute > 0)
        provider["smtp"] = json::object{
            {"host", "localhost"}, {"port", ports.smtp}, {"tls", options.smtp_starts_tls ? "starttls" : "implicit"}};
    if (options.oidc) add_identity(provider, options, world);
    json::array credentials;
    json::array mailboxes;
    if (options.shared_credential)
        credentials.push_back(credential(options, world, "svc", options.population.shared_user));
    for (std::uint32_t number = 1; number <= options.population.mailboxes; ++number) {
        const std::string address = World::address_of(number);
        const std::string id = address.substr(0, address.find('@'));
        if (!options.shared_credential) credentials.push_back(credential(options, world, id, address));
        mailboxes.push_back(json::object{{"id", id},
                                         {"address", address},
                                         {"credential", options.shared_credential ? "svc" : id},
                                         {"protocol", options.protocol},
                                         {"start", "all"},
                                         {"after", options.after},
                                         {"consumer", "inbox"}});
        if (!pop3) mailboxes.back().as_object()["folders"] = json::array{"INBOX"};
        if (options.submit_per_minute > 0)
            mailboxes.back().as_object()["submit"] = json::object{{"per_minute", options.submit_per_minute}};
    }
    const json::object document{{"providers", json::array{provider}},
                                {"credentials", credentials},
                                {"mailboxes", mailboxes},
                                {"consumers", json::array{consumer(options.consumer)}}};
    return json::serialize(document) + "\n";
}

}  // namespace sim
