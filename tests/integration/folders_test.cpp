// Folders: which ones are fetched, how fast news of them arrive, and mail that people move between them.

#include "tests/integration/password_desk.hpp"

using namespace password_desk;
using support::eventually;

using namespace std::chrono_literals;

namespace {

Dovecot::Wish with_uses() {
    Dovecot::Wish wish;
    wish.settings =
        "namespace inbox {\n  inbox = yes\n  separator = /\n"
        "  mailbox Spam {\n    special_use = \\Junk\n    auto = create\n  }\n"
        "  mailbox Sent {\n    special_use = \\Sent\n    auto = create\n  }\n}\n";
    return wish;
}

json::object folders(std::vector<std::string> names) {
    json::array list;
    for (const auto& name : names) list.emplace_back(name);
    return {{"folders", std::move(list)}};
}

}  // namespace

TEST_CASE("folders: patterns, uses and what is left out choose what is fetched, also of what appears later",
          "[folders]") {
    Desk<Dovecot> rig(with_uses());
    auto user = user_of(rig.server);
    std::uint32_t number = 0;
    for (const std::string name : {"Team/Berlin", "Team/Old", "Private"}) user.must("CREATE " + name);
    for (const std::string name : {"INBOX", "Team/Berlin", "Team/Old", "Private", "Spam", "Sent"})
        user.append(name, mails(++number, 1));
    rig.import("keep", Consumer::maildir, folders({"INBOX", "Team/*", "!Team/Old", "\\Junk"}));
    rig.daemon.start({"--poll-interval", "1s"});
    const auto arrived = [&] { return support::count_in(rig.daemon.maildir()); };
    CHECK(eventually([&] { return arrived() == 3; }));
    user.must("CREATE Team/Bonn");
    user.append("Team/Bonn", mails(++number, 2));
    CHECK(eventually([&] { return arrived() == 5; }));
    user.must("DELETE Team/Berlin");
    user.append("INBOX", mails(++number + 2, 1));
    CHECK(eventually([&] { return arrived() == 6; }));
    CHECK(eventually([&] {
        return holds(rig.daemon.log(), "Team/Berlin\" is gone") || holds(rig.daemon.log(), "Team/Berlin is gone");
    }));
    INFO(rig.logs());
    CHECK(holds(rig.daemon.state_of("desk"), "idle"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("folders: who starts with new mail gets what comes into a folder that appears later", "[folders]") {
    Desk<Dovecot> rig(with_uses());
    auto user = user_of(rig.server);
    user.must("CREATE Team/Berlin");
    user.append("Team/Berlin", mails(1, 3));
    auto more = folders({"INBOX", "Team/*"});
    more["start"] = "new";
    rig.import("keep", Consumer::maildir, more);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(support::count_in(rig.daemon.maildir()) == 0);
    user.must("CREATE Team/Bonn");
    user.append("Team/Bonn", mails(4, 2));
    user.append("Team/Bonn", mails(6, 1), " 1-Jan-2020 00:00:00 +0000");  // an old one that somebody files there
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK(support::count_in(rig.daemon.maildir()) == 2);
}

TEST_CASE("folders: a choice that stands for nothing needs a person, and the reason names it", "[folders]") {
    Desk<Dovecot> rig(with_uses());
    rig.import("keep", Consumer::maildir, folders({"Team/*"}));
    rig.daemon.start();
    CHECK(eventually([&] { return holds(rig.daemon.state_of("desk"), "needs help"); }));
    CHECK(holds(rig.daemon.state_of("desk"), "\"folders\" Team/*"));
    const auto checked = rig.daemon.ask({"check", "desk"});
    INFO(checked.output << checked.errors);
    CHECK(checked.exit_code != 0);
    CHECK(holds(checked.output, "Team/*"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("folders: mail in further folders arrives within seconds, whoever dies meanwhile", "[folders]") {
    Desk<Dovecot> rig(with_uses());
    auto user = user_of(rig.server);
    for (const std::string name : {"Sales", "Support"}) user.must("CREATE " + name);
    rig.import("keep", Consumer::maildir, folders({"INBOX", "Sales", "Support"}));
    rig.daemon.start({"--poll-interval", "1h", "--idle-renew", "28min"});
    const auto sessions = [&] { return rig.daemon.ask({"status", "--json"}).output; };
    CHECK(eventually([&] { return holds(sessions(), "\"sessions\":3"); }));
    const auto arrived = [&] { return support::count_in(rig.daemon.maildir()); };
    std::uint32_t number = 0;
    for (const std::string name : {"Sales", "Support", "INBOX", "Sales"}) {
        user.append(name, mails(++number, 1));
        CHECK(eventually([&] { return arrived() == number; }, 20s));
    }
    rig.server.kill_sessions();
    auto again = user_of(rig.server);
    again.append("Support", mails(++number, 1));
    CHECK(eventually([&] { return arrived() == number; }, 60s));
    INFO(rig.logs());
    CHECK(rig.daemon.ask({"mailbox", "pause", "desk"}).exit_code == 0);
    CHECK(eventually([&] { return holds(sessions(), "\"sessions\":0"); }));
    CHECK(rig.daemon.ask({"mailbox", "resume", "desk"}).exit_code == 0);
    CHECK(eventually([&] { return holds(sessions(), "\"sessions\":3"); }));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("folders: one that cannot be fetched stops no other, and is fetched once it can be", "[folders]") {
    Desk<Dovecot> rig(with_uses());
    auto user = user_of(rig.server);
    user.must("CREATE Sales");
    rig.import("keep", Consumer::maildir, folders({"Missing", "INBOX", "Sales"}));  // the first would be waited in
    user.append("INBOX", mails(1, 2));
    CHECK(rig.daemon.run_until_idle() == 75);
    CHECK(support::count_in(rig.daemon.maildir()) == 2);

    rig.daemon.start({"--poll-interval", "1h", "--idle-renew", "28min"});
    const auto sessions = [&] { return rig.daemon.ask({"status", "--json"}).output; };
    CHECK(eventually([&] { return holds(sessions(), "\"sessions\":2"); }));
    const auto arrived = [&] { return support::count_in(rig.daemon.maildir()); };
    std::uint32_t number = 2;
    for (const std::string name : {"INBOX", "Sales", "INBOX"}) {
        user.append(name, mails(++number, 1));
        CHECK(eventually([&] { return arrived() == number; }, 20s));
    }
    CHECK(holds(rig.daemon.state_of("desk"), "idle"));
    CHECK(holds(rig.daemon.state_of("desk"), "Missing"));
    CHECK(holds(rig.daemon.ask({"mailbox", "list"}).output, "fetched in part: opening folder Missing"));
    CHECK_FALSE(holds(rig.daemon.ask({"check", "desk"}).output, "not-served"));
    const auto log = rig.daemon.log();
    CHECK(log.find("id=folder-left-out") == log.rfind("id=folder-left-out"));

    user.must("CREATE Missing");
    user.append("Missing", mails(++number, 1));
    CHECK(rig.daemon.ask({"mailbox", "audit", "desk"}).exit_code == 0);
    INFO(rig.logs());
    CHECK(eventually([&] { return arrived() == number; }, 20s));
    CHECK(eventually([&] { return !holds(rig.daemon.state_of("desk"), "Missing"); }, 20s));
    CHECK(eventually([&] { return holds(sessions(), "\"sessions\":3"); }));
    for (const std::string name : {"Missing", "INBOX", "Sales"}) {
        user.append(name, mails(++number, 1));
        CHECK(eventually([&] { return arrived() == number; }, 20s));
    }
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("folders: mail that people move, move back and copy is handed off once, and accounted for", "[folders]") {
    Desk<Dovecot> rig(with_uses());
    auto user = user_of(rig.server);
    for (const std::string name : {"Done", "Elsewhere"}) user.must("CREATE " + name);
    user.append("INBOX", mails(1, 4));
    rig.import("keep", Consumer::maildir, folders({"INBOX", "Done"}));
    rig.daemon.start({"--poll-interval", "1s"});
    const auto arrived = [&] { return support::count_in(rig.daemon.maildir()); };
    CHECK(eventually([&] { return arrived() == 4; }));
    user.must("SELECT INBOX");
    user.must("UID MOVE 1 Done");       // to another that is fetched
    user.must("UID COPY 2 Done");       // there, too
    user.must("UID COPY 3 INBOX");      // twice in one
    user.must("UID MOVE 4 Elsewhere");  // out
    user.must("SELECT Elsewhere");
    user.must("UID MOVE 1 INBOX");  // and back
    user.append("INBOX", mails(5, 1));
    CHECK(eventually([&] { return arrived() == 5; }));
    const auto asked = rig.daemon.ask({"mailbox", "audit", "desk", "--json"});
    INFO(asked.output << asked.errors << rig.logs());
    CHECK(asked.exit_code == 0);
    CHECK(arrived() == 5);
    CHECK(holds(asked.output, "\"unknown\":0"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle() == 0);  // and after a restart
    user.must("SELECT Done");
    user.must("UID MOVE 1:2 INBOX");
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(support::count_in(rig.daemon.maildir()) == 5);
}

TEST_CASE("folders: of a mail that Gmail shows under several labels the body is fetched once", "[folders]") {
    support::MailRig::Wish wish;
    wish.server = support::MailRig::Server::sim;
    wish.style = "gmail";
    support::MailRig rig(wish);
    const auto address = support::MailRig::address(1);
    const auto label = [&](std::uint32_t uid, const std::string& name) {
        return rig.provider.ask([&](sim::World& world) {
            world.make_folder(address, name);
            const auto& inbox = *world.folder(address, "INBOX");
            return world.copy(inbox, inbox.entries.at(uid - 1), *world.folder(address, name));
        });
    };
    rig.put(1, 20);
    for (std::uint32_t uid = 1; uid <= 20; ++uid) label(uid, "All Mail");
    auto document = rig.document();
    document.at("mailboxes").at(0).as_object()["folders"] = json::array{"INBOX", "All Mail", "Sales"};
    label(20, "Sales");
    rig.daemon.import(json::serialize(document));
    REQUIRE(rig.daemon.run_until_idle() == 0);
    CHECK(rig.counters().bodies_fetched == 20);
    CHECK(support::count_in(rig.daemon.maildir()) == 20);
    // In real time, too.
    rig.daemon.start({"--poll-interval", "1s"});
    rig.put(1, 1);
    label(21, "All Mail");
    label(21, "Sales");
    CHECK(eventually([&] { return support::count_in(rig.daemon.maildir()) == 21; }));
    label(3, "Sales");
    CHECK(eventually([&] {
        return holds(rig.daemon.ask({"mailbox", "show", "box0001", "--json"}).output, "\"cursor\":3");
    }));
    const auto asked = rig.daemon.ask({"mailbox", "audit", "box0001", "--json"});
    INFO(asked.output << asked.errors << rig.daemon.log());
    CHECK(holds(asked.output, "\"unknown\":0"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.counters().bodies_fetched == 21);
    CHECK(support::count_in(rig.daemon.maildir()) == 21);
}

TEST_CASE("folders: mail that a further folder announces before it shows it arrives soon", "[folders]") {
    support::MailRig::Wish wish;
    wish.server = support::MailRig::Server::sim;
    support::MailRig rig(wish);
    const auto address = support::MailRig::address(1);
    rig.provider.ask([&](sim::World& world) { return world.make_folder(address, "Sales") ? 0 : 1; });
    auto document = rig.document();
    document.at("mailboxes").at(0).as_object()["folders"] = json::array{"INBOX", "Sales"};
    rig.daemon.import(json::serialize(document));
    rig.daemon.start({"--poll-interval", "1h", "--idle-renew", "29min"});
    CHECK(eventually([&] { return holds(rig.daemon.ask({"status", "--json"}).output, "\"idle_sessions\":2"); }));
    rig.provider.ask([&](sim::World& world) {
        world.arrive(*world.folder(address, "Sales"), sim::message_of(address, 1, 2048), 3s);
        return 0;
    });
    CHECK(eventually([&] { return support::count_in(rig.daemon.maildir()) == 1; }, 20s));
    INFO(rig.daemon.log());
    CHECK(rig.daemon.stop() == 0);
}
