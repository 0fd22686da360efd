// The doctor against real Dovecot, through the program itself: with a daemon and without.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fstream>

#include "protocols/base/base64.hpp"
#include "tests/support/mail_rig.hpp"

using support::Dovecot;
using support::MailRig;

namespace json = boost::json;

namespace {

struct Checked {
    int exit_code = 0;
    json::object report;
    std::string errors;
    std::string text;

    [[nodiscard]] std::vector<std::string> ids(std::string_view severity, const std::string& subject = {}) const {
        std::vector<std::string> ids;
        for (const auto& value : report.at("findings").as_array()) {
            const auto& finding = value.as_object();
            const bool fits = subject.empty() || finding.at("subject").at("name").as_string() == subject;
            if (fits && finding.at("severity").as_string() == severity) ids.emplace_back(finding.at("id").as_string());
        }
        return ids;
    }
    [[nodiscard]] std::string verdict(const std::string& mailbox) const {
        for (const auto& value : report.at("mailboxes").as_array()) {
            if (value.at("id").as_string() == mailbox) return std::string(value.at("verdict").as_string());
        }
        return "not there";
    }
};

Checked checked(const MailRig& rig, std::vector<std::string> words = {}) {
    words.insert(words.begin(), "check");
    Checked result;
    result.text = rig.daemon.ask(words).output;
    words.emplace_back("--json");
    const auto ran = rig.daemon.ask(words);
    result.exit_code = ran.exit_code;
    result.errors = ran.errors;
    INFO(ran.errors);
    REQUIRE_FALSE(ran.output.empty());
    result.report = json::parse(ran.output).as_object();
    return result;
}

MailRig::Wish two_mailboxes() {
    MailRig::Wish wish;
    wish.mailboxes = 2;
    return wish;
}

void use_password(json::value& credential, std::string_view password) {
    auto& object = credential.as_object();
    object.erase("client_id");
    object.erase("refresh_token");
    object["flow"] = "password";
    object["password"] = json::object{{"value", password}};
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("check: healthy mailboxes at Dovecot, with a daemon and without, and nothing changes there",
          "[daemon][threads]") {
    MailRig rig(two_mailboxes());
    rig.put(1, 3);
    rig.import();
    const auto alone = checked(rig);
    INFO(json::serialize(alone.report));
    CHECK(alone.exit_code == 0);
    CHECK(alone.errors.empty());
    CHECK(alone.ids("fault").empty());
    CHECK(alone.ids("warning").empty());
    CHECK(alone.verdict("box0001") == "ok");
    CHECK(alone.text.find("INBOX: 3 messages") != std::string::npos);

    rig.daemon.start();
    const auto beside = checked(rig, {"box0001"});
    INFO(rig.daemon.log());
    CHECK(beside.exit_code == 0);
    CHECK(beside.ids("fault").empty());
    CHECK(beside.report.at("mailboxes").as_array().size() == 1);
    CHECK(rig.daemon.ask({"check", "nobody"}).exit_code == 66);
    REQUIRE(support::eventually([&rig] { return rig.all_arrived(); }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss().empty());
    // A refresh token that the check had rotated was stored: the daemon goes on with it, and a check after it, too.
    CHECK(checked(rig).exit_code == 0);
}

TEST_CASE("check: a wrong password, a missing folder, and a mailbox beside them that is well", "[daemon]") {
    constexpr std::string_view canary = "canary-password-4711";
    MailRig rig(two_mailboxes());
    auto document = rig.document();
    use_password(document.at("credentials").at(0), canary);
    rig.daemon.import(json::serialize(document));
    auto found = checked(rig);
    INFO(json::serialize(found.report));
    CHECK(found.exit_code == 77);
    CHECK(found.ids("fault") == Ids{"imap-authentication-failed"});
    CHECK(found.verdict("box0001") == "fault");
    CHECK(found.verdict("box0002") == "ok");
    for (const std::string& place : {found.text, json::serialize(found.report), found.errors}) {
        CHECK(place.find(canary) == std::string::npos);
        CHECK(place.find(base64_encoded(canary).substr(0, 16)) == std::string::npos);
    }

    use_password(document.at("credentials").at(0), Dovecot::password);
    document.at("mailboxes").at(0).as_object()["folders"] = json::array{"INBOX", "Orders"};
    rig.daemon.import(json::serialize(document));
    found = checked(rig);
    INFO(json::serialize(found.report));
    CHECK(found.exit_code == 78);
    CHECK(found.ids("fault", "box0001") == Ids{"folder-missing"});
    CHECK(found.text.find("Orders") != std::string::npos);
}

TEST_CASE("check: without a daemon it goes out as the daemon would, by flags and by the daemon's file", "[daemon]") {
    MailRig rig(two_mailboxes());
    rig.import();
    const auto proxy = fmt::format("http://127.0.0.1:{}", support::free_port());  // nobody is there
    const auto config = rig.daemon.file("rohrpost.toml");
    std::ofstream(config) << "proxy = \"" << proxy << "\"\nmax-sessions = 7\n";
    for (const auto& words : {std::vector<std::string>{"--proxy", proxy}, {"--config", config.string()}}) {
        const auto found = checked(rig, words);
        INFO(found.text);
        CHECK(found.exit_code == 69);
        CHECK(found.text.find("through the proxy") != std::string::npos);
        CHECK(found.verdict("box0001") == "fault");
    }
    CHECK(checked(rig, {"--ip-family", "4"}).exit_code == 0);
    const auto six = checked(rig, {"--ip-family", "6"});  // the servers listen on 127.0.0.1 alone
    INFO(six.text);
    CHECK(six.exit_code == 69);
    CHECK(rig.daemon.ask({"check", "--proxy", "ftp://x:1"}).exit_code == 64);
    std::ofstream(config) << "proxy = \"nonsense\"\n";
    CHECK(rig.daemon.ask({"check", "--config", config.string()}).exit_code == 78);
}

TEST_CASE("check: a closed port, and a certificate for another name or of a stranger", "[daemon]") {
    MailRig rig(two_mailboxes());
    auto document = rig.document();
    auto& imap = document.at("providers").at(0).at("imap").as_object();
    const auto port = imap.at("port").to_number<std::uint16_t>();
    imap["port"] = support::free_port();
    rig.daemon.import(json::serialize(document));
    auto found = checked(rig);
    CHECK(found.exit_code == 69);
    CHECK(found.ids("fault") == Ids{"tcp-refused"});
    CHECK(found.verdict("box0002") == "fault");

    Dovecot::Wish wish;
    wish.authority = &rig.provider.authority();
    wish.certificate.dns_names = {"mail.example"};
    wish.certificate.addresses = {};
    const Dovecot renamed(std::move(wish));
    imap["port"] = renamed.port();
    rig.daemon.import(json::serialize(document));
    found = checked(rig);
    INFO(json::serialize(found.report));
    CHECK(found.exit_code == 69);
    CHECK(found.ids("fault") == Ids{"certificate-wrong-name"});
    CHECK(found.text.find("certificate for mail.example") != std::string::npos);

    imap["port"] = port;
    document.at("providers").at(0).as_object().erase("ca_file");
    rig.daemon.import(json::serialize(document));
    found = checked(rig);
    CHECK(found.exit_code == 69);
    CHECK(found.ids("fault") == Ids(2, "certificate-unknown-issuer"));
}

TEST_CASE("check: a dead grant is found, and a token that was refused by the daemon is not asked for again",
          "[daemon]") {
    MailRig rig(two_mailboxes());
    rig.provider.ask([](sim::World& world) {
        world.tokens.revoke(MailRig::address(1));
        return 0;
    });
    rig.import();
    const auto found = checked(rig);
    INFO(json::serialize(found.report));
    CHECK(found.exit_code == 77);
    CHECK(found.ids("fault").size() == 1);
    CHECK(found.text.find("rohrpost authorize box0001") != std::string::npos);
    CHECK(found.verdict("box0002") == "ok");
    const auto requests = rig.counters().token_requests;
    checked(rig);  // two checks, and each sees with a GET that the endpoint is there
    CHECK(rig.counters().token_requests == requests + 2);
}

TEST_CASE("check: --explain needs no store", "[daemon]") {
    const MailRig rig(two_mailboxes());
    const auto known =
        rig.daemon.ask({"check", "--explain", "-ERR Authentication failure: unknown user name or bad password."});
    CHECK(known.exit_code == 0);
    CHECK(known.output.find("Set-CASMailbox USER -PopEnabled $true") != std::string::npos);
    const auto piped = rig.daemon.ask({"check", "--explain", "-"}, "AADSTS7000222: expired\n");
    CHECK(piped.output.starts_with("entra-secret-expired"));
    const auto unknown = rig.daemon.ask({"check", "--json", "--explain", "hello"});
    CHECK(unknown.exit_code == 65);
    CHECK(json::parse(unknown.output).at("is").as_string() == "unknown");
}
