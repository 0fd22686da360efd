// What a mailbox had before the first contact: told, and fetched when an operator asks for it.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/integration/password_desk.hpp"

using namespace password_desk;
using support::eventually;

using namespace std::chrono_literals;

namespace {

/// Three mails a year from 2019 on.
constexpr int first_year = 2019;

std::vector<std::string> mails_with_days(ImapUser& user, const std::string& folder, int years) {
    std::vector<std::string> all;
    for (int year = first_year; year < first_year + years; ++year) {
        for (const char* day : {"02-Mar", "15-Jul", "31-Oct"}) {
            all.push_back(sim::message_of(desk, static_cast<std::uint32_t>(all.size() + 1), 2048));
            user.append(fmt::format("{} \"{}-{} 12:00:00 +0000\"", folder, day, year), {all.back()});
        }
    }
    return all;
}

json::object start(const std::string& from) { return {{"start", from}}; }

struct Rig : Desk<Dovecot> {
    Rig() : Desk<Dovecot>(Dovecot::Wish()) {}

    [[nodiscard]] json::object folder() const { return daemon.mailbox("desk").at("folders").at(0).as_object(); }
    [[nodiscard]] std::string backfill_state() const {
        const auto shown = folder();
        const auto* backfill = shown.if_contains("backfill");
        return backfill == nullptr ? std::string() : json::value_to<std::string>(backfill->at("state"));
    }
    [[nodiscard]] std::size_t arrived() const { return support::count_in(daemon.maildir()); }
    support::Ran backfill(std::vector<std::string> more) const {
        std::vector<std::string> words{"mailbox", "backfill", "desk"};
        words.insert(words.end(), more.begin(), more.end());
        return daemon.ask(std::move(words));
    }
    [[nodiscard]] bool idles() const { return daemon.state_of("desk") == "idle"; }
};

}  // namespace

TEST_CASE("first contact: what is there is told before anything is fetched", "[first-contact]") {
    Rig rig;
    auto user = user_of(rig.server);
    mails_with_days(user, "INBOX", 3);
    const auto given = GENERATE(table<std::string, std::size_t>({{"all", 0}, {"new", 9}, {"2020-07-15", 4}}));
    CAPTURE(std::get<0>(given));
    rig.import("keep", Consumer::maildir, start(std::get<0>(given)));
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    const auto contact = rig.folder().at("first_contact").as_object();
    CHECK(contact.at("mails") == 9);
    CHECK(contact.at("oldest") == "2019-03-02");
    CHECK(contact.at("passed_over") == std::get<1>(given));
    CHECK(rig.arrived() == 9 - std::get<1>(given));
    const auto log = rig.daemon.log();
    if (rig.arrived() > 0) CHECK(log.find("first contact") < log.find(" stored="));
    const auto shown = rig.daemon.ask({"mailbox", "show", "desk"}).output;
    CHECK(holds(shown, "9 mails, oldest 2019-03-02"));
    CHECK(holds(shown, "not taken") == (std::get<1>(given) > 0));
    CHECK(rig.count("UNSEEN") == 9);
    // It is told once.
    user.append("INBOX \"01-Jan-2001 12:00:00 +0000\"", {mails(100, 1).front()});
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.folder().at("first_contact").as_object() == contact);
}

TEST_CASE("first contact: an empty folder has no oldest mail", "[first-contact]") {
    Rig rig;
    rig.import("keep");
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.folder().at("first_contact").at("mails") == 0);
    CHECK_FALSE(rig.folder().at("first_contact").as_object().contains("oldest"));
}

TEST_CASE("backfill: mail from a day on is fetched once, and nothing that the ledger has", "[backfill]") {
    Rig rig;
    auto user = user_of(rig.server);
    mails_with_days(user, "INBOX", 3);
    rig.import("keep", Consumer::maildir, start("2021-01-01"));
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.arrived() == 3 && rig.idles(); }));
    CHECK(rig.backfill({"--from", "2020-07-15"}).exit_code == 0);
    INFO(rig.logs());
    CHECK(eventually([&] { return rig.backfill_state() == "done"; }));
    CHECK(eventually([&] { return rig.arrived() == 5; }));
    CHECK(rig.folder().at("backfill").at("found") == 2);
    CHECK(rig.folder().at("backfill").at("taken") == 2);
    CHECK(rig.backfill({"--from", "2019-01-01"}).exit_code == 0);  // the rest
    CHECK(eventually([&] { return rig.arrived() == 9; }));
    CHECK(eventually([&] { return rig.backfill_state() == "done"; }));
    CHECK(holds(rig.daemon.ask({"mailbox", "show", "desk"}).output, "from 2019-01-01: done, 4 of 4"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.arrived() == 9);
}

TEST_CASE("backfill: goes on after a restart in the middle, live mail comes before it", "[backfill]") {
    constexpr std::size_t old_mails = 1500;
    Rig rig;
    rig.server.put(desk, mails(1, old_mails));
    rig.import("keep", Consumer::maildir, start("new"));
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.idles(); }));
    CHECK(rig.arrived() == 0);
    CHECK(rig.backfill({"--from", "2000-01-01"}).exit_code == 0);
    REQUIRE(eventually([&] { return rig.arrived() >= 200; }));
    rig.server.put(desk, mails(5000, 1));
    const auto live = sim::message_of(desk, 5000, 2048);
    CHECK(eventually([&] { return support::mails_in(rig.daemon.maildir()).contains(fmt::format("{} 5000", desk)); },
                     20s));
    CHECK(rig.arrived() < old_mails);
    rig.daemon.kill();
    const auto before = rig.arrived();
    CHECK(before < old_mails);
    rig.daemon.start();
    CHECK(eventually([&] { return rig.arrived() == old_mails + 1; }));
    INFO(rig.logs());
    CHECK(eventually([&] { return rig.backfill_state() == "done"; }));
    const auto arrived = support::mails_in(rig.daemon.maildir());
    CHECK(std::set<std::string>(arrived.begin(), arrived.end()).size() == old_mails + 1);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("backfill: can be cancelled, and is refused with what is expected", "[backfill]") {
    Rig rig;
    rig.server.put(desk, mails(1, 1000));
    rig.import("keep", Consumer::maildir, start("new"));
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.idles(); }));
    CHECK(rig.backfill({"--from", "2000-01-01"}).exit_code == 0);
    REQUIRE(eventually([&] { return rig.arrived() >= 200; }));
    CHECK(rig.backfill({"--cancel"}).exit_code == 0);
    CHECK(rig.backfill_state() == "cancelled");
    const auto rest = [&] { return rig.daemon.mailbox("desk").at("messages"); };
    REQUIRE(eventually([&] { return rig.idles() && rig.arrived() == rest().to_number<std::size_t>(); }));
    CHECK(rig.arrived() < 1000);

    struct Wrong {
        std::vector<std::string> words;
        const char* says;
    };
    const std::vector<Wrong> all{{{"--from", "yesterday"}, "expected a day like 2026-01-31"},
                                 {{"--from", "2999-01-01"}, "has not come yet"},
                                 {{"--from", "2020-02-30"}, "expected a day like 2026-01-31"},
                                 {{"--from", "2020-01-01", "--folder", "Nowhere"}, "fetches from INBOX"},
                                 {{}, "--from"}};
    for (const auto& wrong : all) {
        const auto ran = rig.backfill(wrong.words);
        CAPTURE(ran.errors);
        CHECK(ran.exit_code != 0);
        CHECK(holds(ran.errors, wrong.says));
    }
    CHECK(holds(rig.daemon.ask({"mailbox", "backfill", "nobody", "--from", "2020-01-01"}).errors, "no mailbox"));
    CHECK(rig.backfill_state() == "cancelled");
}
