// Applications that prove themselves with a key, where nobody signs in: client credentials with a certificate, and
// Google's service account.

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"

using support::contents_of;
using support::eventually;
using support::MailRig;

namespace json = boost::json;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

struct Pair {
    std::filesystem::path key, certificate;
};

/// As an operator makes one.
Pair new_pair(const std::filesystem::path& directory, const std::string& name, int days) {
    Pair pair{directory / (name + ".key"), directory / (name + ".pem")};
    support::Process::Start start;
    start.command = {"openssl",  "req",
                     "-x509",    "-newkey",
                     "rsa:2048", "-nodes",
                     "-subj",    "/CN=" + name,
                     "-days",    std::to_string(days),
                     "-keyout",  pair.key.string(),
                     "-out",     pair.certificate.string()};
    const auto made = support::run_to_end(std::move(start));
    INFO(made.errors);
    REQUIRE(made.exit_code == 0);
    return pair;
}

json::object of_file(const std::filesystem::path& path) { return {{"file", path.string()}}; }

/// What the doctor finds that is at least a warning: severity, id, and what came back, one a line; and its exit code.
std::string found(const MailRig& rig, int& exit_code) {
    const auto ran = rig.daemon.ask({"check", "--json"});
    exit_code = ran.exit_code;
    INFO(ran.errors);
    REQUIRE_FALSE(ran.output.empty());
    std::string lines;
    const auto report = json::parse(ran.output);
    for (const auto& value : report.at("findings").as_array()) {
        const auto& finding = value.as_object();
        const std::string severity(finding.at("severity").as_string());
        if (severity != "fault" && severity != "warning") continue;
        lines += severity + ' ' + std::string(finding.at("id").as_string()) + ": ";
        lines += std::string(finding.at("got").as_string()) + '\n';
    }
    return lines;
}

/// What `rohrpost status` and `credential show` say of who needs help.
std::string told(const MailRig& rig, const std::string& credential) {
    return rig.daemon.ask({"status"}).output + rig.daemon.ask({"credential", "show", credential}).output;
}

void take_registered(MailRig& rig, const std::filesystem::path& certificate) {
    rig.provider.ask([pem = contents_of(certificate)](sim::World& world) {
        world.identity.clients.at("rohrpost-sim").certificates = {pem};
        return 0;
    });
}

/// Sessions end with their tokens, and the next ones need new tokens.
void end_tokens(MailRig& rig) {
    rig.provider.ask([](sim::World& world) {
        world.expire_tokens("", "Session invalidated - AccessTokenExpired");
        return 0;
    });
}

}  // namespace

TEST_CASE("applications: a certificate proves the client, a strange one parks the mailbox, a new one frees it",
          "[daemon]") {
    support::TemporaryDirectory directory;
    const auto first = new_pair(directory.path(), "first", 90), second = new_pair(directory.path(), "second", 20);
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.flow = "client_credentials";
    wish.application.certificates = {contents_of(first.certificate)};
    MailRig rig(wish);
    rig.put(1, 3);
    auto document = rig.document();
    const auto import_with = [&](const Pair& pair) {
        auto& credential = document.at("credentials").at(0).as_object();
        credential["private_key"] = of_file(pair.key);
        credential["certificate"] = of_file(pair.certificate);
        rig.daemon.import(json::serialize(document));
    };
    import_with(first);
    rig.daemon.start();
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.amiss() == "");
    int exit_code = 0;
    CHECK(found(rig, exit_code) == "");
    CHECK(exit_code == 0);

    take_registered(rig, second.certificate);
    end_tokens(rig);
    CHECK(eventually([&] {
        const auto state = rig.daemon.state_of("box0001");
        return state.starts_with("needs help") && holds(state, "AADSTS700027");
    }));
    CHECK(holds(told(rig, "box0001"), "AADSTS700027"));
    const auto faults = found(rig, exit_code);
    CHECK(holds(faults, "fault entra-certificate: "));
    CHECK(holds(faults, "AADSTS700027"));
    CHECK(exit_code == 78);

    rig.put(1, 2);
    import_with(second);
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.amiss() == "");
    CHECK(found(rig, exit_code).starts_with("warning client-certificate-ends: ends "));
    CHECK(exit_code == 0);
    CHECK(rig.daemon.stop() == 0);
    const std::string key = contents_of(second.key);
    CHECK_FALSE(holds(rig.daemon.log(), key.substr(key.size() / 2, 40)));
}

TEST_CASE("applications: a service account reads for each user, and an unknown user or no delegation is named",
          "[daemon]") {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.style = "gmail";
    wish.flow = "service_account";
    wish.mailboxes = 2;
    MailRig rig(wish);
    rig.put(1, 3);
    auto document = rig.document();
    document.at("providers").at(0).as_object()["scopes"] = json::array{"https://mail.google.com/"};
    for (auto& value : document.at("credentials").as_array()) {
        auto& credential = value.as_object();
        credential.erase("client_id");
        credential["service_account"] = of_file(rig.provider.service_account_file());
    }
    document.at("credentials").at(1).as_object()["user"] = "nobody@sim.test";
    rig.daemon.import(json::serialize(document));
    rig.daemon.start();
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.amiss() == "");
    CHECK(eventually([&] {
        const auto state = rig.daemon.state_of("box0002");
        return state.starts_with("needs help") && holds(state, "Invalid email or User ID");
    }));
    CHECK(rig.daemon.state_of("box0001") == "idle");
    CHECK(holds(told(rig, "box0002"), "Invalid email or User ID"));
    int exit_code = 0;
    auto faults = found(rig, exit_code);
    CHECK(holds(faults, "fault google-account-unknown: "));
    CHECK(exit_code == 78);

    rig.provider.ask([](sim::World& world) {
        for (auto& [email, account] : world.identity.service_accounts) account.delegated = false;
        return 0;
    });
    end_tokens(rig);
    CHECK(eventually([&] {
        const auto state = rig.daemon.state_of("box0001");
        return state.starts_with("needs help") && holds(state, "unauthorized_client");
    }));
    faults = found(rig, exit_code);
    CHECK(holds(faults, "fault google-delegation: "));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("applications: a token endpoint that takes the client's secret in a header alone", "[daemon]") {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.flow = "client_credentials";
    wish.application.secret = "a secret: with % and +";
    wish.application.secret_in_header = true;
    MailRig rig(wish);
    rig.put(1, 2);
    auto document = rig.document();
    rig.daemon.import(json::serialize(document));
    rig.daemon.start();
    CHECK(eventually([&] { return rig.daemon.state_of("box0001").starts_with("needs help"); }));
    document.at("providers").at(0).as_object()["token_endpoint_auth_method"] = "client_secret_basic";
    rig.daemon.import(json::serialize(document));
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.amiss() == "");
    CHECK(holds(rig.daemon.ask({"export"}).output, R"("token_endpoint_auth_method":"client_secret_basic")"));
    CHECK(rig.daemon.stop() == 0);
}
