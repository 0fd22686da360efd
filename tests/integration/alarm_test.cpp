// Operators hear of what is wrong, once, by mail and over webhooks, and of its end.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "protocols/webhook/signature.hpp"
#include "tests/support/mail_rig.hpp"
#include "tests/support/webhook_receiver.hpp"

using support::eventually;
using support::MailRig;
using support::Ran;
using support::WebhookReceiver;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> hooks_here{"--webhook-networks", "127.0.0.1"};
const std::vector<std::string> hasty{"--alarm-patience", "200ms", "--webhook-networks", "127.0.0.1"};

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

json::object hook_to(const WebhookReceiver& receiver) {
    return {{"id", "hook"}, {"url", receiver.url()}, {"secret", json::object{{"value", WebhookReceiver::secret}}}};
}

/// The rig's document with an alarm that leaves through these mailboxes.
json::object with_alarm(const MailRig& rig, json::array from) {
    auto document = rig.document();
    document["alarms"] = json::array{json::object{
        {"id", "ops"}, {"to", json::array{"ops@there.test", "boss@there.test"}}, {"from", std::move(from)}}};
    return document;
}

std::vector<sim::SentMail> sent(MailRig& rig) {
    return rig.provider.ask([](sim::World& world) { return world.sent(); });
}

void revoke(MailRig& rig, std::uint32_t box) {
    rig.provider.ask([box](sim::World& world) {
        world.tokens.revoke(MailRig::address(box));
        world.expire_tokens(MailRig::address(box), "Session invalidated - AccessTokenExpired");
        return 0;
    });
}

json::array alarms(const MailRig& rig) {
    const Ran ran = rig.daemon.ask({"alarms", "--json"});
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.output).at("alarms").as_array();
}

}  // namespace

TEST_CASE("alarm: a dead grant is told once by mail and webhook, also after a restart, and so is its end",
          "[daemon][alarm][threads]") {
    const WebhookReceiver receiver;
    MailRig rig(MailRig::senders(3));
    auto document = with_alarm(rig, {"box0002"});
    document["webhooks"] = json::array{hook_to(receiver)};
    document.at("mailboxes").at(2).at("credential") = MailRig::id(1);  // two mailboxes of one credential
    rig.daemon.import(json::serialize(document));
    revoke(rig, 1);
    rig.daemon.start(hasty);
    REQUIRE(eventually([&] { return sent(rig).size() == 1; }));
    const auto mail = sent(rig)[0];
    CHECK(mail.sender == "box0002@sim.test");
    CHECK(mail.recipients == std::vector<std::string>{"ops@there.test", "boss@there.test"});
    CHECK_THAT(mail.message, Catch::Contains("\r\nSubject: [Rohrpost ") &&
                                 Catch::Contains("nobody can log in with credential box0001 (2 mailboxes): ") &&
                                 Catch::Contains("rohrpost authorize box0001"));
    REQUIRE(eventually([&] { return receiver.taken("alarm.raised").size() == 1; }));
    const auto event = receiver.taken("alarm.raised")[0];
    CHECK(event.body.at("specversion") == "1.0");
    CHECK(event.body.at("id").as_string() == event.id);
    CHECK(event.body.at("data").at("data").at("rule") == "grant-dead");
    CHECK(event.body.at("data").at("data").at("subject") == "box0001");
    const auto key = webhook::key_of(Secret(std::string(WebhookReceiver::secret)));
    CHECK(event.signature == webhook::signature_of(key, event.id, event.timestamp, event.text));
    REQUIRE(alarms(rig).size() == 1);
    CHECK(holds(rig.daemon.ask({"alarms"}).output, "grant-dead"));

    CHECK(rig.daemon.stop() == 0);
    rig.daemon.start(hasty);
    CHECK(eventually([&] { return holds(rig.daemon.state_of("box0001"), "needs help"); }));
    CHECK(alarms(rig).size() == 1);

    const auto consented =
        rig.provider.ask([](sim::World& world) { return world.tokens.begin(MailRig::address(1)).refresh_token; });
    document.at("credentials").at(0).at("refresh_token") = json::object{{"value", consented}};
    rig.daemon.import(json::serialize(document));
    REQUIRE(eventually([&] { return sent(rig).size() == 2; }));
    CHECK_THAT(sent(rig)[1].message, Catch::Contains("] over: nobody can log in with credential box0001"));
    CHECK(alarms(rig).empty());
    CHECK(eventually([&] { return receiver.taken("alarm.cleared").size() == 1; }));
    CHECK(receiver.taken("alarm.raised").size() == 1);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("alarm: where the first mailbox cannot send, the second does", "[daemon][alarm]") {
    MailRig rig(MailRig::senders(3));
    rig.daemon.import(json::serialize(with_alarm(rig, {"box0001", "box0002"})));
    revoke(rig, 1);
    rig.daemon.start(hasty);
    REQUIRE(eventually([&] { return !sent(rig).empty(); }));
    CHECK(sent(rig)[0].sender == "box0002@sim.test");
    CHECK_THAT(sent(rig)[0].message, Catch::Contains("credential box0001"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("alarm: a mail that does not leave is taken back, and goes through the next mailbox", "[daemon][alarm]") {
    MailRig rig(MailRig::senders(3));
    rig.daemon.import(json::serialize(with_alarm(rig, {"box0001", "box0002"})));
    rig.fault("smtp_mail mailbox=box0001@sim.test");  // looks well until it is to send
    revoke(rig, 3);
    rig.daemon.start(hasty);
    REQUIRE(eventually([&] { return !sent(rig).empty(); }));
    CHECK(sent(rig)[0].sender == "box0002@sim.test");
    CHECK_THAT(sent(rig)[0].message, Catch::Contains("credential box0003"));
    const Ran settled = rig.daemon.ask({"queue", "list", "--state", "all", "--mailbox", "box0001", "--json"});
    CHECK_THAT(settled.output, Catch::Contains("\"cancelled\"") && Catch::Contains("through another mailbox"));
    rig.clear_faults();
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("alarm: a process on another machine tells what is wrong at the services server, and that it is dead",
          "[daemon][alarm]") {
    MailRig rig(MailRig::senders(2));  // the services server
    rig.import();
    revoke(rig, 1);
    rig.daemon.start({"--roles", "retriever,dispatcher,console", "--console", "127.0.0.1:0"});
    const auto log = rig.daemon.log();
    const auto at = log.find(" url=") + 5;
    const auto token = rig.daemon.ask({"api-token"}).output;

    MailRig watcher(MailRig::senders(1));  // has an account of its own
    watcher.daemon.import(json::serialize(with_alarm(watcher, {"box0001"})));
    const auto token_file = watcher.daemon.file("token");
    std::ofstream(token_file) << token;
    std::filesystem::permissions(token_file, std::filesystem::perms::owner_read);
    watcher.daemon.start({"--roles", "alarm,dispatcher", "--alarm-patience", "200ms", "--watch-server",
                          log.substr(at, log.find(' ', at) - at), "--watch-token-file", token_file.string()});
    REQUIRE(eventually([&] { return sent(watcher).size() == 1; }));
    CHECK_THAT(sent(watcher)[0].message, Catch::Contains("nobody can log in with credential box0001 (1 mailboxes)"));
    CHECK(json::parse(rig.daemon.ask({"alarms", "--json"}).output).at("watching") == false);
    CHECK(rig.daemon.ask({"alarms"}).exit_code == 69);
    rig.daemon.kill();
    REQUIRE(eventually([&] { return sent(watcher).size() >= 2; }));
    CHECK_THAT(sent(watcher)[1].message, Catch::Contains("server-silent (1)") && !Catch::Contains("Over:"));
    CHECK(alarms(watcher).size() == 2);  // what was wrong there is not over
    CHECK(watcher.daemon.stop() == 0);
}

TEST_CASE("webhook: the events of submissions arrive signed, each submission's in order, whatever the receiver answers",
          "[daemon][webhook]") {
    const WebhookReceiver receiver([](std::size_t number) { return number % 3 == 1 ? 503 : 200; });
    MailRig rig(MailRig::senders(1));
    auto document = rig.document();
    document["webhooks"] = json::array{hook_to(receiver)};
    rig.daemon.import(json::serialize(document));
    rig.daemon.start(hooks_here);
    constexpr std::size_t mails = 12;
    for (std::size_t number = 0; number < mails; ++number) {
        const Ran ran = rig.daemon.ask({"send", "a@there.test"}, "From: box0001@sim.test\n\nmail\n");
        REQUIRE(ran.exit_code == 0);
    }
    CHECK(eventually([&] { return receiver.taken("submission.accepted").size() >= mails / 2; }));
    CHECK(rig.daemon.stop() == 0);  // in the midst of it
    rig.daemon.start(hooks_here);
    const auto all_told = [&] {
        std::map<std::string, std::vector<std::string>> told;
        std::map<std::string, std::string> type_of_id;
        for (const auto& post : receiver.posts()) {
            const auto type = std::string(post.body.at("type").as_string());
            const auto [known, is_new] = type_of_id.try_emplace(post.id, type);
            CHECK(known->second == type);
            if (post.answered != 200) continue;
            auto& types = told[std::string(post.body.at("subject").as_string())];
            if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
        }
        const std::vector<std::string> whole{"submission.accepted", "submission.delivered"};
        return told.size() == mails &&
               std::all_of(told.begin(), told.end(), [&](const auto& one) { return one.second == whole; });
    };
    CHECK(eventually(all_told));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE(
    "alarm: an alarm through mailboxes that do not send, and a webhook without secret, are refused with the place",
    "[daemon][alarm]") {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    MailRig rig(wish);
    auto document = with_alarm(rig, {"box0001", "box0009"});
    document["webhooks"] = json::array{json::object{{"id", "hook"}, {"url", "http://there.test/x"}}};
    const Ran ran = rig.daemon.ask({"import", "-"}, json::serialize(document));
    CHECK(ran.exit_code == 65);
    CHECK_THAT(ran.errors, Catch::Contains("alarms[0].from[0]: mailbox \"box0001\" does not send"));
    CHECK_THAT(ran.errors, Catch::Contains("alarms[0].from[1]: there is no mailbox \"box0009\""));
    CHECK_THAT(ran.errors, Catch::Contains("webhooks[0].secret: missing"));
    CHECK_THAT(ran.errors, Catch::Contains("webhooks[0].url: found"));
    rig.import();
    CHECK(rig.daemon.ask({"alarms"}).exit_code == 69);
}
