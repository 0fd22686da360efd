// What becomes of mail on real servers once it was taken in: each policy, with the real daemon, at Dovecot, Cyrus and
// Courier, and at the pretend provider where one has to refuse or hang up.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <random>

#include "protocols/imap/mailbox_name.hpp"
#include "tests/integration/password_desk.hpp"

using namespace password_desk;
using support::eventually;
using support::MailRig;

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t some = 30;

/// Lines for dovecot.conf: what the server offers after the log-in.
Dovecot::Wish dovecot(bool can_move) {
    Dovecot::Wish wish;
    wish.settings =
        "namespace inbox {\n  inbox = yes\n  separator = /\n"
        "  mailbox Papierkorb {\n    special_use = \\Trash\n    auto = create\n  }\n}\n";
    if (!can_move)
        wish.settings +=
            "protocol imap {\n  imap_capability = IMAP4rev1 SASL-IR ID ENABLE IDLE UNSELECT UIDPLUS LITERAL+\n}\n";
    return wish;
}

struct Policy {
    const char* after;
    const char* target;  // empty: none
};

}  // namespace

TEST_CASE("after: Dovecot, each policy, with MOVE and without", "[after]") {
    const bool can_move = GENERATE(true, false);
    const auto policy =
        GENERATE(Policy{"keep", ""}, Policy{"seen", ""}, Policy{"delete", ""}, Policy{"delete:1d", ""},
                 Policy{"move:Erledigt/B\xc3\xbcro", "\"Erledigt/B&APw-ro\""}, Policy{"move:\\Trash", "Papierkorb"});
    const std::string after = policy.after, target = policy.target;
    CAPTURE(can_move, after);
    Desk<Dovecot> rig(dovecot(can_move));
    const auto put = mails(1, some);
    rig.server.put(desk, put);
    rig.import(after);
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK(support::count_in(rig.daemon.maildir()) == some);
    const Bytes all(put.begin(), put.end());
    const bool stays = target.empty() && after != "delete";
    CHECK(rig.in("INBOX") == (stays ? all : Bytes()));
    CHECK(rig.count("SEEN") == (after == "seen" ? some : 0));
    if (!target.empty()) CHECK(rig.in(target) == all);
    CHECK(rig.daemon.run_until_idle() == 0);  // nothing is left to do, and nothing comes again
    CHECK(support::count_in(rig.daemon.maildir()) == some);
    if (!target.empty()) CHECK(rig.in(target) == all);
}

TEMPLATE_TEST_CASE("after: Cyrus and Courier, delete and move", "[after][servers]", Cyrus, Courier) {
    if (!support::server_roots_work()) return;
    // Courier keeps everything below INBOX., Cyrus as Debian has it beside INBOX.
    const std::string target = std::is_same_v<TestType, Courier> ? "INBOX.Done" : "Done";
    const std::string after = GENERATE_COPY(std::string("delete"), "move:" + target);
    CAPTURE(after);
    Desk<TestType> rig;
    rig.server.add(desk);
    rig.server.put(desk, mails(1, some));
    const auto served = rig.in("INBOX");
    rig.import(after);
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK(support::count_in(rig.daemon.maildir()) == some);
    CHECK(rig.in("INBOX").empty());
    if (after != "delete") CHECK(rig.in(target) == served);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(support::count_in(rig.daemon.maildir()) == some);
}

TEST_CASE("after: Cyrus refuses a folder that may not be made, and mail goes on to arrive", "[after][servers]") {
    if (!support::server_roots_work()) return;
    Desk<Cyrus> rig;
    rig.server.add(desk);
    rig.server.put(desk, mails(1, 3));
    rig.import("move:Other Users/nobody/Done");
    rig.daemon.start();
    INFO(rig.logs());
    REQUIRE(eventually([&] { return support::count_in(rig.daemon.maildir()) == 3; }));
    REQUIRE(eventually([&] { return rig.after().at("folders").at(0).as_object().contains("parked"); }));
    rig.server.put(desk, mails(4, 1));
    CHECK(eventually([&] { return support::count_in(rig.daemon.maildir()) == 4; }));
    CHECK(rig.in("INBOX").size() == 4);
}

TEST_CASE("after: nothing goes before the consumer has acknowledged it, then at once", "[after]") {
    Desk<Dovecot> rig(dovecot(true));
    rig.server.put(desk, mails(1, 3));
    rig.import("delete", Consumer::pull);
    rig.daemon.start();
    REQUIRE(eventually(
        [&] { return rig.daemon.mailbox("desk").at("messages") == 3 && rig.daemon.state_of("desk") == "idle"; }));
    const auto waiting = rig.after({"--dry-run"});
    CHECK(waiting.at("folders").at(0).at("due") == 0);
    CHECK(waiting.at("folders").at(0).at("waiting") == 3);
    CHECK(waiting.at("folders").at(0).at("mails").at(2).at("waits") == "not acknowledged by tickets");
    CHECK(rig.in("INBOX").size() == 3);
    // As another policy would have it.
    const auto flagged = rig.after({"--dry-run", "--policy", "seen"});
    CHECK(flagged.at("folders").at(0).at("due") == 3);

    const auto second = json::value_to<std::string>(waiting.at("folders").at(0).at("mails").at(1).at("id"));
    REQUIRE(rig.daemon.ask({"inbox", "ack", second, "--through"}).exit_code == 0);
    CHECK(eventually([&] { return rig.in("INBOX").size() == 1; }, 20s));
    INFO(rig.logs());
    CHECK(rig.after().at("folders").at(0).at("waiting") == 1);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("after: a delay is shown with the day on which it ends", "[after]") {
    Desk<Dovecot> rig(dovecot(true));
    rig.server.put(desk, mails(1, 1));
    rig.import("delete:3d");
    CHECK(rig.daemon.run_until_idle() == 0);
    const auto shown = rig.daemon.ask({"mailbox", "after", "desk", "--dry-run"});
    CHECK(shown.exit_code == 0);
    CHECK(holds(shown.output, "until 20"));
    CHECK(holds(shown.output, "delete:3d"));
    CHECK(rig.in("INBOX").size() == 1);
}

TEST_CASE("after: wrong words are refused with what is expected", "[after]") {
    Desk<Dovecot> rig(dovecot(true));
    rig.import("delete");
    const auto unknown = rig.daemon.ask({"mailbox", "after", "nobody"});
    CHECK(unknown.exit_code != 0);
    CHECK(holds(unknown.errors, "there is no mailbox \"nobody\""));
    const auto policy = rig.daemon.ask({"mailbox", "after", "desk", "--policy", "delete:x"});
    CHECK(policy.exit_code != 0);
    CHECK(holds(policy.errors, "delete:30d"));
}

TEST_CASE("after: what the provider refuses waits with its words, and nothing else does", "[after]") {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    MailRig rig(wish);
    rig.fault("refuse_change row=[NOPERM]_Ask_your_administrator");
    auto document = rig.document();
    document.at("mailboxes").as_array().at(0).as_object()["after"] = "delete";
    rig.daemon.import(json::serialize(document));
    rig.put(1, 5);
    rig.daemon.start();
    const auto parked = [&] {
        const auto shown = rig.daemon.mailbox("box0001");
        const auto* after = shown.at("folders").at(0).as_object().if_contains("after");
        return after != nullptr && holds(json::serialize(*after), "Ask your administrator");
    };
    REQUIRE(eventually(parked));
    CHECK(holds(rig.daemon.ask({"mailbox", "show", "box0001"}).output, "Ask your administrator"));
    CHECK(holds(rig.daemon.ask({"status", "--json"}).output, "\"parked_folders\":1"));
    rig.put(1, 5);
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.state_of("box0001") == "idle");
    rig.clear_faults();
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("after: killed again and again while it copies and removes, each mail is moved once", "[after][threads]") {
    constexpr std::uint32_t many = 300;
    const auto seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> lives_ms(60, 500);
    Desk<Dovecot> rig(dovecot(false));
    const auto put = mails(1, many);
    rig.server.put(desk, put);
    rig.import("move:Done");
    for (int round = 0; round < 10; ++round) {
        rig.daemon.launch({"--exit-when-idle"});
        if (rig.daemon.wait(std::chrono::milliseconds(lives_ms(random)))) break;
        rig.daemon.kill();
    }
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.daemon.log());
    CHECK(rig.in("INBOX").empty());
    CHECK(rig.in("Done") == Bytes(put.begin(), put.end()));
    CHECK(support::count_in(rig.daemon.maildir()) == many);
}
