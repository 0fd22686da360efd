// What a desk does when accounts have troubles of their own, when the configuration changes, and when limits are met.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"

using support::eventually;
using support::MailRig;
using support::Ran;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> quick{"--settling-time", "200ms"};

/// The import document, changed.
template <class Change>
void import_with(const MailRig& rig, const Change& change) {
    auto document = rig.document();
    change(document);
    rig.daemon.import(json::serialize(document));
}

json::object& mailbox(json::object& document, std::size_t box) {
    return document.at("mailboxes").at(box - 1).as_object();
}
json::object& submit(json::object& document, std::size_t box) {
    return mailbox(document, box).at("submit").as_object();
}
json::object& provider(json::object& document) { return document.at("providers").at(0).as_object(); }

/// Hands one in from that mailbox; its id.
std::string send(const MailRig& rig, std::uint32_t box, const std::vector<std::string>& to = {"a@there.test"}) {
    std::vector<std::string> words{"send", "-f", MailRig::address(box)};
    words.insert(words.end(), to.begin(), to.end());
    const Ran ran = rig.daemon.ask(words, fmt::format("From: {}\n\nGuten Tag\n", MailRig::address(box)));
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    return ran.output.substr(0, ran.output.find('\n'));
}

json::object asked(const MailRig& rig, std::vector<std::string> words) {
    words.push_back("--json");
    const Ran ran = rig.daemon.ask(words);
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.output).as_object();
}

bool becomes(const MailRig& rig, const std::string& id, std::string_view state) {
    return eventually([&] { return asked(rig, {"queue", "show", id}).at("state").as_string() == state; });
}

json::object sender(const MailRig& rig, std::uint32_t box) {
    const auto answer = asked(rig, {"queue", "senders"});
    for (const auto& one : answer.at("senders").as_array())
        if (one.at("mailbox").as_string() == MailRig::id(box)) return one.as_object();
    return {};
}

/// -1: it is not listed yet.
std::int64_t connections(const MailRig& rig, std::uint32_t box) {
    const auto one = sender(rig, box);
    return one.contains("connections") ? one.at("connections").to_number<std::int64_t>() : -1;
}

bool is(const MailRig& rig, std::uint32_t box, std::string_view phase) {
    const auto one = sender(rig, box);
    return one.contains("state") && one.at("state").as_string() == phase;
}

std::size_t sent_count(MailRig& rig) {
    return rig.provider.ask([](sim::World& world) { return world.sent().size(); });
}

/// Both mailboxes hand over as the first one's user.
void share_login(MailRig& rig) {
    rig.provider.ask([](sim::World& world) {
        world.share(MailRig::address(1), MailRig::address(2));
        return 0;
    });
    import_with(rig, [](json::object& document) { mailbox(document, 2)["credential"] = MailRig::id(1); });
}  // namespace

}  // namespace

TEST_CASE("sending: a right that one mailbox lacks stops that mailbox, not the others of its log-in",
          "[daemon][sending]") {
    MailRig rig(MailRig::senders(2));
    share_login(rig);
    rig.fault("smtp_mail mailbox=box0001@sim.test value=550 row=5.7.60_SMTP;_no_permissions");
    rig.daemon.start(quick);
    const auto stuck = send(rig, 1);
    REQUIRE(eventually([&] { return is(rig, 1, "parked"); }));
    CHECK_FALSE(is(rig, 2, "parked"));
    CHECK(becomes(rig, send(rig, 2), "delivered"));
    CHECK(asked(rig, {"queue", "show", stuck}).at("state").as_string() == "queued");
    rig.clear_faults();
    CHECK(rig.daemon.ask({"queue", "retry", stuck}).exit_code == 0);
    CHECK(becomes(rig, stuck, "delivered"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("sending: an import lets only those accounts try again that it has changed", "[daemon][sending]") {
    MailRig rig(MailRig::senders(2));
    rig.import();
    rig.fault("smtp_auth mailbox=box0001@sim.test");
    rig.daemon.start(quick);
    const auto stuck = send(rig, 1);
    REQUIRE(eventually([&] { return is(rig, 1, "parked"); }));
    const auto until = sender(rig, 1).at("until");
    rig.clear_faults();
    import_with(rig, [](json::object& document) { submit(document, 2)["connections"] = 1; });
    import_with(rig, [](json::object&) {});
    CHECK(becomes(rig, send(rig, 2), "delivered"));  // the import was heard of
    CHECK(is(rig, 1, "parked"));
    CHECK(sender(rig, 1).at("until") == until);
    import_with(rig, [](json::object& document) { submit(document, 1)["connections"] = 2; });
    CHECK(becomes(rig, stuck, "delivered"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("sending: connections to where mail went before are not used any more", "[daemon][sending]") {
    MailRig rig(MailRig::senders(1));
    rig.import();
    rig.daemon.start(quick);
    CHECK(becomes(rig, send(rig, 1), "delivered"));
    import_with(rig, [](json::object&) {});
    CHECK(becomes(rig, send(rig, 1), "delivered"));
    CHECK(rig.counters().smtp_logins == 1);
    import_with(rig, [](json::object& document) { provider(document)["limits"] = {{"recipients_per_day", 5000}}; });
    REQUIRE(eventually([&] { return connections(rig, 1) == 0; }));
    CHECK(becomes(rig, send(rig, 1), "delivered"));
    CHECK(rig.counters().smtp_logins == 2);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("sending: who has too many connections closes the surplus at once", "[daemon][sending][hostile-26]") {
    MailRig rig(MailRig::senders(1));
    rig.import();
    rig.fault("smtp_slow value=700 times=3");
    rig.daemon.start(quick);
    for (int mails = 0; mails < 3; ++mails) send(rig, 1);
    REQUIRE(eventually([&] { return sent_count(rig) == 3 && connections(rig, 1) == 3; }));
    REQUIRE(eventually([&] { return is(rig, 1, "idle"); }));
    CHECK(connections(rig, 1) == 3);
    rig.fault("smtp_mail times=1");  // 432
    const auto id = send(rig, 1);
    REQUIRE(eventually([&] { return is(rig, 1, "parked"); }));
    CHECK(eventually([&] { return connections(rig, 1) <= 2; }));
    CHECK(rig.daemon.ask({"queue", "retry", id}).exit_code == 0);
    CHECK(becomes(rig, id, "delivered"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("sending: what becomes of a mail is heard of though its mailbox hands over as another meanwhile",
          "[daemon][sending]") {
    MailRig rig(MailRig::senders(2));
    rig.provider.ask([](sim::World& world) {
        world.share(MailRig::address(1), MailRig::address(2));
        return 0;
    });
    rig.import();
    rig.fault("smtp_slow value=1500 times=1");
    rig.fault("smtp_lost_reply times=1");
    rig.daemon.start(quick);
    const auto id = send(rig, 1);
    REQUIRE(eventually([&] { return sent_count(rig) == 1; }));
    import_with(rig, [](json::object& document) { submit(document, 1)["login"] = MailRig::address(2); });
    CHECK(asked(rig, {"queue", "show", id}).at("state").as_string() == "sending");
    CHECK(becomes(rig, id, "delivered"));
    CHECK(sent_count(rig) == 1);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("sending: a day's recipients of a mailbox and of a tenant are kept to, also by the next process",
          "[daemon][sending]") {
    const bool of_tenant = GENERATE(false, true);
    CAPTURE(of_tenant);
    MailRig rig(MailRig::senders(2));
    import_with(rig, [&](json::object& document) {
        if (of_tenant) provider(document)["limits"] = {{"recipients_per_day", 4}};
        if (!of_tenant) submit(document, 1)["recipients_per_day"] = 4;
    });
    rig.daemon.start(quick);
    CHECK(becomes(rig, send(rig, 1, {"a@there.test", "b@there.test", "c@there.test"}), "delivered"));
    CHECK(rig.daemon.stop() == 0);
    rig.daemon.start(quick);
    const auto waits = send(rig, 1, {"d@there.test", "e@there.test"});
    REQUIRE(eventually([&] { return is(rig, 1, "pacing"); }));
    const auto fits = send(rig, 2, {"f@there.test"});
    CHECK(becomes(rig, fits, "delivered"));
    const auto other = send(rig, 2, {"g@there.test"});
    if (of_tenant) {
        REQUIRE(eventually([&] { return is(rig, 2, "pacing"); }));
        CHECK(asked(rig, {"queue", "show", other}).at("state").as_string() == "queued");
    } else {
        CHECK(becomes(rig, other, "delivered"));
        CHECK(eventually(
            [&] { return sender(rig, 1).contains("recipients_today") && sender(rig, 1).at("recipients_today") == 3; }));
    }
    CHECK(asked(rig, {"queue", "show", waits}).at("state").as_string() == "queued");
    CHECK(eventually([&] {
        const auto tenant = asked(rig, {"queue", "senders"}).at("tenants").at(0);
        return tenant.at("tenant").as_string() == "rig/sim.test" &&
               tenant.at("recipients_today") == (of_tenant ? 4 : 5);
    }));
    CHECK(rig.daemon.stop() == 0);
}
