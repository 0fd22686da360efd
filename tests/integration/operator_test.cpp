// What an operator stops, drains and takes away.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"
#include "tests/support/webhook_receiver.hpp"

using support::eventually;
using support::MailRig;
using support::Ran;
using support::WebhookReceiver;

namespace json = boost::json;

namespace {

Ran hand_in(const MailRig& rig, std::uint32_t box, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"send", "a@there.test", "-f", MailRig::address(box)};
    words.insert(words.end(), more.begin(), more.end());
    return rig.daemon.ask(words, fmt::format("From: {}\n\nGuten Tag\n", MailRig::address(box)));
}

json::object asked(const MailRig& rig, std::vector<std::string> words) {
    words.push_back("--json");
    const Ran ran = rig.daemon.ask(words);
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.output).as_object();
}

std::string sender(const MailRig& rig, std::uint32_t box) {
    const auto answer = asked(rig, {"queue", "senders"});
    for (const auto& one : answer.at("senders").as_array()) {
        if (one.at("mailbox").as_string() != MailRig::id(box)) continue;
        const auto* reason = one.as_object().if_contains("reason");
        return std::string(one.at("state").as_string()) +
               (reason == nullptr ? "" : ": " + std::string(reason->as_string()));
    }
    return {};
}

std::size_t sent_by(MailRig& rig, std::uint32_t box) {
    return rig.provider.ask([box](sim::World& world) {
        const auto& all = world.sent();
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [&](const auto& mail) { return mail.sender == MailRig::address(box); }));
    });
}

void refused(const Ran& ran, int code, const std::string& why) {
    CAPTURE(ran.errors);
    CHECK(ran.exit_code == code);
    CHECK_THAT(ran.errors, Catch::Contains(why));
}

}  // namespace

TEST_CASE("operator: a suspended mailbox is fetched and sends nothing, also after a restart, until it is resumed",
          "[daemon][sending]") {
    MailRig rig(MailRig::senders(2));
    rig.import();
    rig.daemon.start();
    CHECK(rig.daemon.ask({"queue", "suspend", MailRig::id(1), "--reason", "campaign"}).exit_code == 0);
    CHECK(eventually([&] { return sender(rig, 1) == "suspended: campaign"; }));
    for (const std::uint32_t box : {1, 2}) CHECK(hand_in(rig, box).exit_code == 0);
    rig.put(1, 1);
    CHECK(eventually([&] { return sent_by(rig, 2) == 1 && rig.all_arrived(); }));
    CHECK(rig.daemon.stop() == 0);
    rig.daemon.start();
    CHECK(hand_in(rig, 2).exit_code == 0);
    CHECK(eventually([&] { return sent_by(rig, 2) == 2 && sender(rig, 1) == "suspended: campaign"; }));
    CHECK(sent_by(rig, 1) == 0);
    refused(rig.daemon.ask({"queue", "suspend", "box0009"}), 66, "there is no mailbox \"box0009\" that sends");
    CHECK(rig.daemon.ask({"queue", "resume", MailRig::id(1)}).exit_code == 0);
    CHECK(eventually([&] { return sent_by(rig, 1) == 1; }));
    CHECK(rig.amiss().empty());
}

TEST_CASE("operator: a drain lets no mail in, says what is left, and ends when nothing moves any more",
          "[daemon][sending]") {
    MailRig rig(MailRig::senders(2));
    rig.import();
    rig.daemon.start();
    const auto keyed = hand_in(rig, 1, {"--key", "order-7"});
    CHECK(keyed.exit_code == 0);
    const auto held = hand_in(rig, 1, {"--not-before", std::to_string(std::time(nullptr) + 86'400)});
    const auto id = held.output.substr(0, held.output.find('\n'));
    CHECK(rig.daemon.ask({"queue", "drain", "--no-wait", "--reason", "moving house"}).exit_code == 0);
    CHECK(asked(rig, {"queue", "drain", "--no-wait"}).at("open").as_bool() == false);
    refused(hand_in(rig, 2), 75, "no mail is taken in for now");
    const auto again = hand_in(rig, 1, {"--key", "order-7"});
    CHECK(again.output == keyed.output);
    CHECK(rig.daemon.stop() == 0);
    rig.daemon.start();
    refused(hand_in(rig, 2), 75, "no mail is taken in for now");
    CHECK(rig.daemon.ask({"queue", "hold", id}).exit_code == 0);
    refused(rig.daemon.ask({"queue", "drain"}), 75, "1 held");
    CHECK(rig.daemon.ask({"queue", "cancel", id}).exit_code == 0);
    const auto drained = rig.daemon.ask({"queue", "drain"});
    CHECK(drained.exit_code == 0);
    CHECK_THAT(drained.errors, Catch::Contains("queued 0, sending 0, in doubt 0, held 0"));
    CHECK(sent_by(rig, 1) == 1);
    CHECK(asked(rig, {"queue", "open"}).at("open").as_bool());
    CHECK(hand_in(rig, 2).exit_code == 0);
    CHECK(eventually([&] { return sent_by(rig, 2) == 1; }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(hand_in(rig, 2).exit_code == 0);
    refused(rig.daemon.ask({"queue", "drain"}), 75, "no daemon runs: nothing leaves");
}

TEST_CASE("operator: what nobody refers to can be taken away with its secrets, what is in use stays", "[daemon]") {
    const WebhookReceiver receiver;
    MailRig rig(MailRig::senders(2));
    auto document = rig.document();
    document["webhooks"] = json::array{json::object{
        {"id", "hook"}, {"url", receiver.url()}, {"secret", json::object{{"value", WebhookReceiver::secret}}}}};
    document["alarms"] = json::array{
        json::object{{"id", "ops"}, {"to", json::array{"ops@there.test"}}, {"from", json::array{"box0001"}}}};
    rig.daemon.import(json::serialize(document));
    rig.daemon.start({"--webhook-networks", "127.0.0.1"});
    CHECK(hand_in(rig, 1).exit_code == 0);
    CHECK(eventually([&] { return receiver.taken("submission.delivered").size() == 1; }));

    const auto consumer = std::string(document.at("consumers").at(0).at("id").as_string());
    const auto provider = std::string(document.at("providers").at(0).at("id").as_string());
    refused(rig.daemon.ask({"remove", "consumer", consumer}), 65, "is used by mailbox box0001, mailbox box0002");
    refused(rig.daemon.ask({"remove", "credential", "box0001"}), 65, "is used by mailbox box0001");
    refused(rig.daemon.ask({"remove", "provider", provider}), 65, "is used by credential box0001, credential box0002");
    refused(rig.daemon.ask({"remove", "webhook", "hock"}), 66, "there is no webhook \"hock\"");
    refused(rig.daemon.ask({"remove", "mailbox", "box0001"}), 64, "KIND");

    CHECK(rig.daemon.ask({"remove", "webhook", "hook"}).exit_code == 0);
    CHECK(rig.daemon.ask({"remove", "alarm", "ops"}).exit_code == 0);
    CHECK(rig.daemon.ask({"mailbox", "remove", "box0002"}).exit_code == 0);
    CHECK(rig.daemon.ask({"remove", "credential", "box0002"}).exit_code == 0);
    const auto before = receiver.posts().size();
    CHECK(hand_in(rig, 1).exit_code == 0);
    CHECK(eventually([&] { return sent_by(rig, 1) == 2; }));
    const auto left = rig.daemon.ask({"export"});
    CHECK_THAT(left.output, !Catch::Contains("hook") && !Catch::Contains("\"ops\"") && !Catch::Contains("box0002"));
    CHECK(receiver.posts().size() == before);
    // The same id comes back as a new one: what happened meanwhile is not told.
    rig.daemon.import(json::serialize(document));
    CHECK(hand_in(rig, 2).exit_code == 0);
    CHECK(eventually([&] { return receiver.taken("submission.delivered").size() == 2; }));
    CHECK(sent_by(rig, 2) == 1);
}

TEST_CASE("webhook: a receiver at a private address is not called unless its network is named", "[daemon][webhook]") {
    const WebhookReceiver receiver;
    MailRig rig(MailRig::senders(1));
    auto document = rig.document();
    document["webhooks"] = json::array{json::object{
        {"id", "hook"}, {"url", receiver.url()}, {"secret", json::object{{"value", WebhookReceiver::secret}}}}};
    rig.daemon.import(json::serialize(document));
    rig.daemon.start();
    CHECK(hand_in(rig, 1).exit_code == 0);
    CHECK(eventually([&] { return sent_by(rig, 1) == 1; }));
    CHECK(eventually([&] { return rig.daemon.log().find("--webhook-networks names networks") != std::string::npos; }));
    CHECK(receiver.posts().empty());
    CHECK(rig.daemon.stop() == 0);
    rig.daemon.start({"--webhook-networks", "10.0.0.0/8,127.0.0.1"});
    CHECK(eventually([&] { return receiver.taken("submission.delivered").size() == 1; }));
}
