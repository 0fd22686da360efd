// Thousands of mails while everything dies again and again: each arrives, none twice. CI sends some hundreds;
// `tools/dev prove` ten thousand.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>

#include "tests/support/inlet_rig.hpp"

using support::eventually;
using support::InletRig;

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t mailboxes = 20;
constexpr auto all_settled_within = 3min;

/// ROHRPOST_MAILS, or few.
std::size_t mails() {
    const char* wish = std::getenv("ROHRPOST_MAILS");
    return wish == nullptr ? 600 : std::stoul(wish);
}

std::string keyed_mail(std::size_t number) {
    return fmt::format("From: {}\r\nSubject: {}\r\nX-Rohrpost-Key: key-{}\r\n\r\nGuten Tag\r\n",
                       support::MailRig::address(static_cast<std::uint32_t>(number % mailboxes) + 1), number, number);
}

/// An application that hands in numbered mails, each with its key, until each was acknowledged: what it has no 250 for
/// it hands in again.
class Application {
public:
    Application(InletRig& house, std::size_t count) : house_(house), count_(count) {}

    [[nodiscard]] bool done() const { return acknowledged_ == count_; }
    /// A connection broke: from now on another one.
    void hang_up() { talk_.reset(); }
    /// Hands in the next few in one flight. False: the daemon is gone.
    bool hand_in() {
        constexpr std::size_t flight_mails = 20;
        const std::size_t upto = std::min(acknowledged_ + flight_mails, count_);
        std::string flight;
        for (std::size_t number = acknowledged_; number < upto; ++number) {
            const auto mail = keyed_mail(number);
            flight += fmt::format("MAIL FROM:<{}>\r\nRCPT TO:<a@there.test>\r\nBDAT {} LAST\r\n{}",
                                  support::MailRig::address(static_cast<std::uint32_t>(number % mailboxes) + 1),
                                  mail.size(), mail);
        }
        try {
            if (!talk_) {
                talk_.emplace(house_.port());
                if (talk_->codes(1) != "220" || !talk_->ask("EHLO application.test").starts_with("250")) return false;
            }
            talk_->send(flight);
            for (; acknowledged_ < upto; ++acknowledged_) {
                const auto codes = talk_->codes(3);
                if (codes.size() < 11) return false;
                REQUIRE(codes == "250 250 250");
            }
        } catch (const boost::system::system_error&) {
            return false;
        }
        return true;
    }
    void hand_in_all() {
        while (!done()) REQUIRE(hand_in());
    }

private:
    InletRig& house_;
    std::size_t count_;
    std::size_t acknowledged_ = 0;
    std::optional<support::SmtpTalk> talk_;
};

std::size_t sent_count(InletRig& house) {
    return house.rig.provider.ask([](sim::World& world) { return world.sent().size(); });
}

/// How many are in a state, as `queue list` has it; without one, those that wait.
std::size_t listed(const InletRig& house, const std::string& state = "") {
    std::vector<std::string> words{"queue", "list", "--json"};
    if (!state.empty()) words.insert(words.end(), {"--state", state});
    const auto list = house.rig.daemon.ask(std::move(words)).output;
    return static_cast<std::size_t>(std::count(list.begin(), list.end(), '\n'));
}

/// Nothing waits any more.
bool settles(const InletRig& house) {
    return eventually([&] { return listed(house) == 0; }, all_settled_within);
}

/// In words what the server has not, or more than once; empty: it has each mail once.
std::string amiss(InletRig& house, std::size_t count) {
    support::Mails expected, found;
    for (std::size_t number = 0; number < count; ++number) expected.insert(std::to_string(number));
    for (const auto& [subject, times] : house.taken())
        for (int each = 0; each < times; ++each) found.insert(subject);
    return support::difference(expected, found);
}

/// How often the daemon's own log says it.
std::size_t said(const InletRig& house, std::string_view words) {
    const auto log = house.rig.daemon.log();
    std::size_t times = 0;
    for (auto at = log.find(words); at != std::string::npos; at = log.find(words, at + 1)) ++times;
    return times;
}

}  // namespace

TEST_CASE("sending: killed at counted points while thousands of mails flow, each accepted one arrives once",
          "[daemon][sending][proof][hostile-10]") {
    const std::size_t count = mails();
    const std::size_t between_kills = std::max<std::size_t>(count / 40, 75);
    InletRig house(mailboxes);
    house.rig.fault("smtp_slow value=20");  // filed, and not yet answered: the moment of doubt
    Application application(house, count);
    std::size_t kills = 0, found = 0;
    house.start();
    for (std::size_t kill_at = between_kills; kill_at < count; kill_at += between_kills) {
        while (sent_count(house) < kill_at && !application.done()) REQUIRE(application.hand_in());
        REQUIRE(eventually([&] { return sent_count(house) >= kill_at; }, all_settled_within));
        found += said(house, "found in Sent Items");
        house.rig.daemon.kill();
        application.hang_up();
        ++kills;
        house.start_again();
    }
    application.hand_in_all();
    CHECK(settles(house));
    found += said(house, "found in Sent Items");
    CHECK(listed(house, "delivered") == count);
    CHECK(house.rig.daemon.stop() == 0);
    CHECK(found >= kills);  // each death has left somebody in doubt
    CHECK(amiss(house, count) == "");
}

TEST_CASE("sending: of thousands of mails whose last replies are lost, none is sent twice",
          "[daemon][sending][proof][hostile-10]") {
    const std::size_t count = mails();
    InletRig house(mailboxes);
    house.rig.fault("smtp_lost_reply value=4");
    house.start();
    Application application(house, count);
    application.hand_in_all();
    CHECK(settles(house));
    CHECK(said(house, "found in Sent Items") == count / 4);
    CHECK(listed(house, "delivered") == count);
    CHECK(house.rig.daemon.stop() == 0);
    CHECK(amiss(house, count) == "");
}

TEST_CASE("sending: of thousands of mails whose last replies are lost and cannot be seen, none is sent again unasked",
          "[daemon][sending][proof][hostile-10]") {
    const std::size_t count = mails();
    InletRig house(mailboxes);
    house.rig.fault("hide_sent");
    house.rig.fault("smtp_lost_reply value=4");
    house.start();
    Application application(house, count);
    application.hand_in_all();
    // Each in doubt was looked for, and nothing else is to be done.
    CHECK(eventually([&] { return said(house, " doubt=") >= count / 4 && listed(house, "queued") == 0; },
                     all_settled_within));
    CHECK(listed(house, "sending") == 0);
    CHECK(listed(house, "delivered") == count - count / 4);
    CHECK(listed(house, "in_doubt") == count / 4);
    CHECK(house.rig.daemon.stop() == 0);
    CHECK(amiss(house, count) == "");
}
