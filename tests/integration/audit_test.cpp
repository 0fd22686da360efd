// `rohrpost mailbox audit`: what servers have compared with the ledger, and a ledger that was tampered with.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "queue/store/sqlite.hpp"
#include "tests/support/mail_rig.hpp"

using support::Dovecot;
using support::eventually;
using support::MailRig;

namespace json = boost::json;

namespace {

MailRig::Wish dovecot_with(std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.mailboxes = mailboxes;
    return wish;
}

/// By hand, in the store of a daemon that does not run. A command before it has moved all rows to their tables.
void tamper(const support::Daemon& daemon, const std::string& script) {
    REQUIRE(daemon.ask({"mailbox", "list"}).exit_code == 0);
    auto database = store::Database::open((daemon.data() / "ledger.db").string(), "");
    REQUIRE(database.has_value());
    REQUIRE(database->run(script.c_str()).has_value());
}

struct Audited {
    int exit_code = 0;
    std::vector<json::object> lines;
    std::string errors;
};
Audited audit(const support::Daemon& daemon, std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"mailbox", "audit", "--json"});
    const auto ran = daemon.ask(std::move(words));
    Audited audited{ran.exit_code, {}, ran.errors};
    std::istringstream lines(ran.output);
    for (std::string line; std::getline(lines, line);) audited.lines.push_back(json::parse(line).as_object());
    return audited;
}

std::uint64_t count(const json::object& object, std::string_view key) {
    return object.at(key).to_number<std::uint64_t>();
}

json::object first_folder(const json::object& line) { return line.at("folders").at(0).as_object(); }

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("audit: mail that the cursor has passed by mistake is found, fetched and accounted for",
          "[daemon][dovecot][audit]") {
    MailRig rig(dovecot_with(2));
    rig.put(1, 5);
    rig.put(2, 3);
    rig.import();
    REQUIRE(rig.daemon.run_until_idle() == 0);
    rig.put(1, 3);
    tamper(rig.daemon,
           "UPDATE folder SET cursor = 8 WHERE mailbox = (SELECT number FROM mailbox WHERE id = 'box0001')");
    rig.daemon.start();
    // The first connection audits by itself.
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.amiss() == "");
    REQUIRE(eventually([&] { return rig.daemon.mailbox("box0001").contains("audit"); }));
    CHECK(count(rig.daemon.mailbox("box0001").at("audit").as_object(), "found") == 3);
    CHECK(holds(rig.daemon.log(), "id=audit-found unknown=3 uids=6:8"));

    const auto all = audit(rig.daemon);
    CHECK(all.exit_code == 0);
    REQUIRE(all.lines.size() == 2);
    for (const auto& line : all.lines) {
        CAPTURE(json::serialize(line));
        CHECK(count(line, "unknown") == 0);
        CHECK(count(line, "found") == 0);
        const auto folder = first_folder(line);
        const auto mails = line.at("mailbox") == "box0001" ? 8U : 3U;
        CHECK(count(folder, "on_server") == mails);
        CHECK(count(folder, "delivered") + count(folder, "undelivered") == mails);
    }
    const auto table = rig.daemon.ask({"mailbox", "audit", "box0002"});
    CHECK(table.exit_code == 0);
    CHECK(holds(table.output, "INBOX"));
    CHECK_FALSE(holds(table.output, "box0001"));
    CHECK(holds(rig.daemon.ask({"mailbox", "show", "box0001"}).output, "0 messages unknown"));
    CHECK(holds(rig.daemon.ask({"status"}).output, "2 mailboxes since"));
    CHECK(holds(rig.daemon.ask({"mailbox", "audit", "nobody"}).errors, "no mailbox"));
    CHECK(rig.daemon.ask({"mailbox", "audit", "--wait", "0"}).exit_code == 64);
    CHECK(rig.daemon.ask({"mailbox", "pause", "box0001"}).exit_code == 0);
    CHECK(holds(audit(rig.daemon, {"box0001"}).errors, "is paused"));
    CHECK(audit(rig.daemon).lines.size() == 1);  // of those that are not paused
    CHECK(rig.daemon.stop() == 0);
    const auto none = audit(rig.daemon);
    CHECK(none.exit_code == 69);
    CHECK(holds(none.errors, "no daemon runs"));
}

TEST_CASE("audit: a message that the ledger has lost is fetched again", "[daemon][dovecot][audit]") {
    MailRig rig(dovecot_with(1));
    rig.put(1, 5);
    rig.import();
    REQUIRE(rig.daemon.run_until_idle() == 0);
    tamper(rig.daemon,
           "DELETE FROM message WHERE seq = 3; DELETE FROM message_uid WHERE seq = 3; DELETE FROM message_id WHERE seq "
           "= 3");
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.daemon.mailbox("box0001").contains("audit"); }));
    CHECK(count(rig.daemon.mailbox("box0001").at("audit").as_object(), "found") == 1);
    CHECK(count(rig.daemon.mailbox("box0001"), "messages") == 6);
    const auto again = audit(rig.daemon, {"box0001"});
    CHECK(again.exit_code == 0);
    REQUIRE(again.lines.size() == 1);
    CHECK(count(again.lines[0], "found") == 0);
    CHECK(count(first_folder(again.lines[0]), "on_server") == 5);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("audit: mail from before the start is told apart, what cannot be compared says why",
          "[daemon][dovecot][audit]") {
    MailRig rig(dovecot_with(1));
    rig.put(1, 5);
    auto document = rig.document();
    document.at("mailboxes").at(0).as_object()["start"] = "new";
    rig.daemon.import(json::serialize(document));
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0001") == "idle"; }));
    const auto sound = audit(rig.daemon, {"box0001"});
    CHECK(sound.exit_code == 0);
    REQUIRE(sound.lines.size() == 1);
    CHECK(count(first_folder(sound.lines[0]), "before_start") == 5);
    CHECK(count(first_folder(sound.lines[0]), "delivered") == 0);

    document.at("mailboxes").at(0).as_object()["folders"] = json::array{"INBOX", "Nowhere"};
    rig.daemon.import(json::serialize(document));
    const auto hindered = audit(rig.daemon, {"box0001", "--wait", "3"});
    CHECK(hindered.exit_code == 75);
    CHECK(rig.daemon.stop() == 0);
}
