#include <fmt/format.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "tools/rohrpost-sim/provider.hpp"

namespace sim {

namespace json = boost::json;

namespace {

json::object credential(const World& world, const std::string& id, const std::string& user) {
    return {{"id", id},
            {"provider", "rig"},
            {"user", user},
            {"flow", "refresh_token"},
            {"client_id", "rohrpost-sim"},
            {"refresh_token", json::object{{"value", world.tokens.first_refresh_token(user)}}}};
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
    const json::object provider{
        {"id", "rig"},
        {"token_url", fmt::format("https://localhost:{}/token", ports.https)},
        {"scopes", json::array{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"}},
        {"ca_file", std::filesystem::absolute(ca_file).string()},
        {"imap", json::object{{"host", "localhost"}, {"port", ports.imap}, {"tls", "implicit"}}}};
    json::array credentials;
    json::array mailboxes;
    if (options.shared_credential) credentials.push_back(credential(world, "svc", options.population.shared_user));
    for (std::uint32_t number = 1; number <= options.population.mailboxes; ++number) {
        const std::string address = World::address_of(number);
        const std::string id = address.substr(0, address.find('@'));
        if (!options.shared_credential) credentials.push_back(credential(world, id, address));
        mailboxes.push_back(json::object{{"id", id},
                                         {"address", address},
                                         {"credential", options.shared_credential ? "svc" : id},
                                         {"protocol", "imap"},
                                         {"folders", json::array{"INBOX"}},
                                         {"start", "all"},
                                         {"after", "keep"},
                                         {"consumer", "inbox"}});
    }
    const json::object document{{"providers", json::array{provider}},
                                {"credentials", credentials},
                                {"mailboxes", mailboxes},
                                {"consumers", json::array{consumer(options.consumer)}}};
    return json::serialize(document) + "\n";
}

}  // namespace sim
