// The budget of sessions: many mailboxes behind one credential, visited in turn, and none forgotten.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"

using support::eventually;
using support::MailRig;

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t mailboxes = 12;
constexpr std::uint32_t at_once = 3;

MailRig::Wish shared() {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.mailboxes = mailboxes;
    wish.shared_credential = true;
    return wish;
}

void import(const MailRig& rig, const std::string& which = "per_credential") {
    auto document = rig.document();
    document.at("providers").at(0).as_object()["sessions"] = boost::json::object{{which, at_once}};
    rig.daemon.import(boost::json::serialize(document));
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("budget: one credential's mailboxes share its sessions, and mail arrives in each of them", "[budget]") {
    const std::string which = GENERATE("per_credential", "per_tenant", "per_host");
    CAPTURE(which);
    MailRig rig(shared());
    for (std::uint32_t box = 1; box <= mailboxes; ++box) rig.put(box, 3);
    import(rig, which);
    rig.daemon.start({"--poll-interval", "5s"});
    CHECK(eventually([&] { return rig.all_arrived(); }));
    for (int round = 0; round < 3; ++round) {  // wherever news come, somebody looks
        for (std::uint32_t box = 1; box <= mailboxes; box += 2) rig.put(box, 1);
        CHECK(eventually([&] { return rig.all_arrived(); }, 30s));
    }
    CHECK(rig.counters().sessions_most == at_once);
    std::uint32_t scheduled = 0;
    for (std::uint32_t box = 1; box <= mailboxes; ++box)
        scheduled += holds(rig.daemon.state_of(MailRig::id(box)), "others wait for its place") ? 1 : 0;
    CHECK(scheduled > 0);
    INFO(rig.daemon.log());
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("budget: a run until idle visits every mailbox once", "[budget]") {
    MailRig rig(shared());
    for (std::uint32_t box = 1; box <= mailboxes; ++box) rig.put(box, 2);
    import(rig);
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.daemon.log());
    CHECK(rig.amiss() == "");
    CHECK(rig.counters().sessions_most == at_once);
    CHECK(rig.counters().logins == mailboxes);
}

TEST_CASE("budget: a throttled credential says until when, and nobody of it logs in before", "[budget]") {
    MailRig rig(shared());
    rig.put(1, 1);
    import(rig);
    rig.fault("throttle mailbox=box0001@sim.test value=4000 times=1");
    rig.daemon.start({"--poll-interval", "5s"});
    CHECK(eventually([&] { return holds(rig.daemon.state_of(MailRig::id(1)), "throttled until "); }));
    INFO(rig.daemon.log());
    CHECK(eventually([&] { return rig.all_arrived(); }, 60s));
    CHECK(rig.daemon.stop() == 0);
}
