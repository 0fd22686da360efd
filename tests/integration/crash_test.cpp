// Both ends die: the server in the middle of a message, the daemon at any moment.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>

#include "tests/support/mail_rig.hpp"

using support::eventually;
using support::MailRig;
using support::Ran;

using namespace std::chrono_literals;

namespace {

constexpr std::size_t large_bytes = 100'000'000;
constexpr std::uint64_t underway_bytes = 2'000'000;

MailRig::Wish dovecot_with(std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.mailboxes = mailboxes;
    return wish;
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A large message on its way to a daemon that was idle before. What the daemon writes meanwhile is that message.
class LargeOnItsWay {
public:
    explicit LargeOnItsWay(MailRig& rig) : rig_(rig) {
        rig_.put(1, 1);
        rig_.import();
        rig_.daemon.start();
        REQUIRE(eventually([&] { return rig_.all_arrived() && rig_.daemon.state_of("box0001") == "idle"; }));
        written_before_ = written();
        rig_.put(1, 1, large_bytes);
        REQUIRE(eventually([&] { return written() > written_before_ + underway_bytes; }));
    }
    /// So far the message was not even written down once.
    [[nodiscard]] bool incomplete() const { return written() < written_before_ + large_bytes; }

private:
    [[nodiscard]] std::uint64_t written() const { return rig_.daemon.kernel_count("io", "wchar:"); }

    MailRig& rig_;
    std::uint64_t written_before_ = 0;
};

}  // namespace

TEST_CASE("daemon: a server session that dies in the middle of a large message costs nothing",
          "[daemon][hostile-8][hostile-38]") {
    MailRig rig(dovecot_with(1));
    const LargeOnItsWay message(rig);
    CHECK(rig.dovecot->kill_sessions() == 1);
    CHECK(message.incomplete());
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.log().find("resumes_at=") != std::string::npos);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: a server that is gone for a while in the middle of a large message costs nothing", "[daemon]") {
    MailRig rig(dovecot_with(1));
    const LargeOnItsWay message(rig);
    rig.dovecot->kill();
    CHECK(message.incomplete());
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0001").find("refused") != std::string::npos; }));
    rig.dovecot->restart();
    CHECK(eventually([&] { return rig.all_arrived(); }));
    INFO(rig.daemon.log());
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: killed in the middle of a large message, it begins again and doubles nothing",
          "[daemon][hostile-60]") {
    MailRig rig(dovecot_with(1));
    const LargeOnItsWay message(rig);
    CHECK(message.incomplete());
    rig.daemon.kill();
    CHECK(support::count_in(rig.daemon.maildir()) == 1);
    rig.put(1, 5);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: killed again and again while it fetches, it loses and doubles nothing",
          "[daemon][hostile-60][threads]") {
    constexpr int kills = 10;
    const auto seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> lives_ms(20, 400);
    MailRig rig(dovecot_with(2));
    rig.put(1, 1000);
    rig.put(2, 1000);
    rig.import();
    for (int round = 0; round < kills; ++round) {
        rig.daemon.launch({"--exit-when-idle", "--fetch-batch", "8"});
        if (rig.daemon.wait(std::chrono::milliseconds(lives_ms(random)))) break;
        rig.daemon.kill();
    }
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.daemon.log());
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: killed while it fetches, and twice while it recovers, it loses and doubles nothing",
          "[daemon][hostile-60]") {
    constexpr int rounds = 8;
    const auto seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> lives_ms(40, 300), recovers_ms(1, 30);
    MailRig rig(dovecot_with(2));
    rig.put(1, 1500);
    rig.put(2, 10, 600'000);
    rig.import();
    for (int round = 0; round < rounds; ++round) {
        for (const int life : {lives_ms(random), recovers_ms(random), recovers_ms(random)}) {
            rig.daemon.launch({"--exit-when-idle", "--fetch-batch", "8"});
            if (rig.daemon.wait(std::chrono::milliseconds(life))) break;
            rig.daemon.kill();
        }
    }
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.daemon.log());
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: SIGTERM drains, also in the middle of a fetch", "[daemon][threads]") {
    MailRig rig(dovecot_with(1));
    rig.put(1, 3000, 2048);
    rig.import();
    rig.daemon.start({"--fetch-batch", "16"});
    REQUIRE(eventually([&] { return support::count_in(rig.daemon.maildir()) > 0; }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.log().find("drained") != std::string::npos);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: only one runs on a data directory, and status says whether", "[daemon]") {
    MailRig rig(dovecot_with(1));
    rig.import();
    const Ran before = rig.daemon.ask({"status"});
    CHECK(before.exit_code == 0);
    CHECK(before.output.find("not running") != std::string::npos);
    rig.daemon.start();
    const Ran during = rig.daemon.ask({"status", "--json"});
    CHECK(during.exit_code == 0);
    CHECK(during.output.find("\"daemon\":\"running\"") != std::string::npos);

    const Ran second = rig.daemon.ask({"run", "--console", "127.0.0.1:0"});
    CHECK(second.exit_code == 75);
    CAPTURE(second.errors);
    CHECK(lines_in(second.errors) == 1);
    CHECK(second.errors.find(rig.daemon.data().string()) != std::string::npos);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.ask({"status"}).output.find("not running") != std::string::npos);
}
