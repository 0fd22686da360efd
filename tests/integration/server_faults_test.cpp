// What servers do to us: the pretend provider's faults, and Dovecot's changes behind a session's back.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"

using support::eventually;
using support::MailRig;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

MailRig::Wish sim_with(std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.mailboxes = mailboxes;
    return wish;
}

MailRig::Wish dovecot_with(std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.mailboxes = mailboxes;
    return wish;
}

json::object folder_of(const MailRig& rig, std::uint32_t box) {
    return rig.daemon.mailbox(MailRig::id(box)).at("folders").at(0).as_object();
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("daemon: under another UIDVALIDITY exactly the new mail is handed off, and it is told what came of it",
          "[daemon][hostile-36]") {
    MailRig rig(dovecot_with(2));
    rig.put(1, 30);
    rig.put(2, 3);
    rig.import();
    REQUIRE(rig.daemon.run_until_idle() == 0);
    const auto before = folder_of(rig, 1).at("uid_validity").to_number<std::uint32_t>();

    rig.dovecot->set_uid_validity(MailRig::address(1), before + 4711);
    rig.put(1, 2);
    rig.put(2, 2);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
    const auto changed = folder_of(rig, 1).at("uid_validity_changed").as_object();
    CHECK(changed.at("before") == before);
    CHECK(changed.at("recognised") == 30);
    CHECK(changed.at("new") == 2);
    CHECK_FALSE(folder_of(rig, 2).contains("uid_validity_changed"));
    CHECK(holds(rig.daemon.log(), fmt::format("UIDVALIDITY changed from {} to {}: 30 messages recognised, 2 new",
                                              before, before + 4711)));
    CHECK(holds(rig.daemon.ask({"mailbox", "show", "box0001"}).output, "30 messages recognised, 2 new"));

    // While a session waits: the server loses its index, and numbers the same files anew.
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0001") == "idle"; }));
    rig.dovecot->lose_index(MailRig::address(1));
    rig.put(1, 3);
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(eventually([&] {
        const auto again = folder_of(rig, 1).at("uid_validity_changed").as_object();
        return again.at("before") == before + 4711 && again.at("compared").as_bool();
    }));
    CHECK(folder_of(rig, 1).at("uid_validity_changed").at("recognised") == 32);
    CHECK(rig.amiss() == "");
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("daemon: no body is fetched again because UIDVALIDITY has changed, not even with a kill in the middle",
          "[daemon][hostile-36]") {
    MailRig rig(sim_with(1));
    rig.put(1, 2000);
    rig.import();
    REQUIRE(rig.daemon.run_until_idle() == 0);
    const auto bytes = rig.counters().body_bytes_fetched;
    rig.provider.ask([](sim::World& world) {
        world.folder(MailRig::address(1), "INBOX")->renumber(sim::Folder::NewUids::from_one);
        return 0;
    });
    rig.put(1, 5);
    rig.daemon.launch();
    REQUIRE(eventually([&] { return rig.counters().body_bytes_fetched > bytes; }));
    rig.daemon.kill();
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
    const auto more = rig.counters().body_bytes_fetched - bytes;
    CHECK(more < 2 * 2000 * 600 + 5 * 5000);  // heads of less than 600 bytes, twice at most
    CHECK(folder_of(rig, 1).at("uid_validity_changed").at("recognised") == 2000);
    CHECK(folder_of(rig, 1).at("uid_validity_changed").at("new") == 5);
}

TEST_CASE("daemon: a UIDVALIDITY that changes again and again freezes its mailbox alone, until it changes back",
          "[daemon][hostile-36]") {
    MailRig rig(dovecot_with(2));
    rig.put(1, 3);
    rig.put(2, 3);
    rig.import();
    REQUIRE(rig.daemon.run_until_idle() == 0);
    auto validity = folder_of(rig, 1).at("uid_validity").to_number<std::uint32_t>();
    for (int change = 0; change < 3; ++change) {
        validity += 10;
        rig.dovecot->set_uid_validity(MailRig::address(1), validity);
        rig.put(1, 1);
        CHECK(rig.daemon.run_until_idle() == 0);
        CHECK(rig.amiss() == "");
    }
    const std::uint32_t after = validity + 4711;
    rig.dovecot->set_uid_validity(MailRig::address(1), after);
    rig.put(2, 2);
    CHECK(rig.daemon.run_until_idle() == 75);
    CHECK(rig.amiss() == "");
    const std::string why(folder_of(rig, 1).at("frozen").as_string());
    CHECK(holds(why, fmt::format("UIDVALIDITY changed from {} to {}", validity, after)));
    CHECK_FALSE(folder_of(rig, 2).contains("frozen"));

    rig.daemon.start();
    REQUIRE(eventually([&] { return holds(rig.daemon.state_of("box0001"), "needs help"); }));
    CHECK(holds(rig.daemon.state_of("box0001"), std::to_string(after)));
    CHECK(holds(rig.daemon.ask({"mailbox", "list"}).output, fmt::format("from {} to {}", validity, after)));
    CHECK(rig.daemon.stop() == 0);

    rig.dovecot->set_uid_validity(MailRig::address(1), validity);
    rig.put(1, 2);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
    CHECK_FALSE(folder_of(rig, 1).contains("frozen"));
}

TEST_CASE("daemon: messages that are deleted while they are fetched stop no other", "[daemon]") {
    MailRig rig(dovecot_with(1));
    rig.put(1, 9000, 2048);  // the first are delivered long before the last are fetched
    rig.import();
    rig.daemon.launch({"--exit-when-idle", "--fetch-batch", "16"});
    REQUIRE(eventually([&] { return support::count_in(rig.daemon.maildir()) > 0; }));
    rig.dovecot->remove(MailRig::address(1), "8500:8600,8950");
    REQUIRE(rig.daemon.wait(120s) == 0);
    // Those that were fetched before they went count as received.
    const auto found = support::mails_in(rig.daemon.maildir());
    std::size_t gone = 0;
    for (std::uint32_t uid = 8500; uid <= 8950; uid = uid == 8600 ? 8950 : uid + 1) {
        if (found.contains(fmt::format("{} {}", MailRig::address(1), uid))) continue;
        rig.expect_not(1, uid);
        ++gone;
    }
    CHECK(gone > 0);
    CHECK(rig.amiss() == "");
    CHECK(folder_of(rig, 1).at("cursor") == 9000);
    CHECK_FALSE(folder_of(rig, 1).contains("pending"));
}

TEST_CASE("daemon: a UID without data stays pending with its reason, and comes when the server gives it",
          "[daemon][hostile-37]") {
    const std::string kind = GENERATE("no_data", "refuse_uid");
    CAPTURE(kind);
    MailRig rig(sim_with(1));
    rig.put(1, 8);
    rig.fault(fmt::format("{} mailbox={} uid=3", kind, MailRig::address(1)));
    rig.import();
    rig.daemon.start({"--idle-renew", "1s"});
    REQUIRE(eventually([&] { return support::count_in(rig.daemon.maildir()) == 7; }));
    REQUIRE(eventually([&] { return folder_of(rig, 1).contains("pending"); }));
    const auto folder = folder_of(rig, 1);
    CHECK(folder.at("cursor") == 8);
    CHECK(folder.at("pending_count") == 1);
    const auto& pending = folder.at("pending").at(0).as_object();
    CHECK(pending.at("uid") == 3);
    CHECK(holds(std::string(pending.at("reason").as_string()),
                kind == "no_data" ? "without the message" : "could not be converted"));
    rig.clear_faults();
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(eventually([&] { return !folder_of(rig, 1).contains("pending"); }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: a UID that was pending and is deleted is forgotten", "[daemon]") {
    MailRig rig(sim_with(1));
    rig.put(1, 4);
    rig.fault(fmt::format("no_data mailbox={} uid=2", MailRig::address(1)));
    rig.import();
    rig.daemon.start({"--idle-renew", "1s"});
    REQUIRE(eventually([&] { return folder_of(rig, 1).contains("pending"); }));
    rig.provider.ask([](sim::World& world) {
        world.folder(MailRig::address(1), "INBOX")->remove(2);
        return 0;
    });
    rig.expect_not(1, 2);
    CHECK(eventually([&] { return !folder_of(rig, 1).contains("pending"); }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: sizes that lie and UIDs that come late change nothing", "[daemon]") {
    const std::string kind = GENERATE("wrong_size", "uid_last");
    CAPTURE(kind);
    MailRig rig(sim_with(1));
    rig.put(1, 30);
    rig.put(1, 2, 600'000);
    rig.fault(kind);
    rig.import();
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: a greeting that claims a login is refused", "[daemon][hostile-3]") {
    MailRig rig(sim_with(2));
    rig.put(1, 1);
    rig.fault("preauth times=2");
    rig.import();
    rig.daemon.start();
    CHECK(eventually([&] { return holds(rig.daemon.log(), "PREAUTH"); }));
    CHECK(eventually([&] { return rig.all_arrived(); }));  // once it has a sane greeting
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: without IDLE a mailbox is polled", "[daemon]") {
    MailRig rig(sim_with(1));
    rig.put(1, 1);
    rig.fault("no_idle");
    rig.import();
    rig.daemon.start({"--poll-interval", "1s"});
    REQUIRE(eventually([&] { return rig.all_arrived(); }));
    for (int round = 0; round < 2; ++round) {
        rig.put(1, 2);
        REQUIRE(eventually([&] { return rig.all_arrived(); }, 20s));
    }
    CHECK(rig.counters().idles == 0);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: an IDLE that tells nothing is found out", "[daemon]") {
    MailRig rig(sim_with(1));
    rig.put(1, 1);
    rig.fault("lying_idle");
    rig.import();
    rig.daemon.start({"--idle-renew", "1s", "--poll-interval", "1s"});
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0001") == "idle"; }));
    rig.put(1, 2);
    CHECK(eventually([&] { return rig.all_arrived(); }, 20s));
    rig.put(1, 1);
    CHECK(eventually([&] { return rig.all_arrived(); }, 20s));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: a throttled session stays away as long as it is told", "[daemon]") {
    MailRig rig(sim_with(1));
    rig.put(1, 2);
    rig.fault("throttle value=4000 times=1");
    rig.import();
    rig.daemon.start();
    REQUIRE(eventually([&] { return holds(rig.daemon.state_of("box0001"), "throttled"); }));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(rig.counters().sessions == 1);
    REQUIRE(eventually([&] { return rig.counters().sessions == 2; }));
    CHECK(std::chrono::steady_clock::now() - begin > 3s);  // the state was seen a little after the refusal
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: a connection that breaks in a body costs nothing", "[daemon][hostile-8][hostile-38]") {
    const std::size_t bytes = GENERATE(100'000, 3'000'000);
    const int kept = GENERATE(1, 0, 99'999);
    CAPTURE(bytes, kept);
    MailRig rig(sim_with(1));
    rig.put(1, 3, bytes);
    rig.fault(fmt::format("drop_in_literal uid=2 times=2 value={}", kept));
    rig.import();
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
}
