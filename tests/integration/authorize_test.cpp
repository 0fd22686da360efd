// The first token: rohrpost authorize, a person at the identity provider, and the page that the browser comes back to.

#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"
#include "tests/support/places.hpp"
#include "tests/support/provider_browser.hpp"

using support::between;
using Browser = support::ProviderBrowser;
using support::eventually;
using support::MailRig;
using support::Process;
using support::Ran;

namespace {

MailRig::Wish wish_for(std::string flow, std::vector<std::string> signed_in = {}) {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.flow = std::move(flow);
    wish.signed_in = std::move(signed_in);
    return wish;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// What the daemon shows at that address, with status line and headers.
std::string shown_at(const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"curl", "-s", "-i", "--max-time", "30", url};
    words.insert(words.end(), more.begin(), more.end());
    return support::run_to_end({.command = words}, std::chrono::seconds(40)).output;
}

/// A running `rohrpost authorize`.
class Authorizing {
public:
    explicit Authorizing(const MailRig& rig, std::vector<std::string> more = {})
        : process_(start(rig, std::move(more))) {}
    std::string url() {
        auto line = process_.read_line(std::chrono::seconds(20));
        INFO(process_.errors());
        REQUIRE(line.has_value());
        return *line;
    }
    [[nodiscard]] std::string words() const { return process_.errors(); }
    int end() {
        const auto code = process_.wait(std::chrono::seconds(30));
        REQUIRE(code.has_value());
        return *code;
    }

private:
    static Process::Start start(const MailRig& rig, std::vector<std::string> more) {
        const auto credentials = rig.document().at("credentials").as_array();
        std::vector<std::string> words{support::binary_directory() + "/bin/rohrpost", "authorize",
                                       std::string(credentials.at(0).at("id").as_string()), "--data",
                                       rig.daemon.data().string()};
        words.insert(words.end(), more.begin(), more.end());
        return {.command = std::move(words)};
    }
    Process process_;
};

}  // namespace

TEST_CASE("authorize: a person signs in, the grant is stored, and mail arrives at once", "[daemon][threads]") {
    MailRig rig(wish_for("authorization_code"));
    rig.put(1, 3);
    rig.import();
    rig.daemon.start();
    CHECK(eventually([&] { return holds(rig.daemon.state_of("box0001"), "authorize it"); }));

    Authorizing authorizing(rig);
    Browser browser(rig);
    browser.open(authorizing.url());
    browser.sign_in("box0001@sim.test");
    browser.accept();
    const auto back = browser.location();
    CHECK(back.starts_with("http://localhost:"));
    const auto page = shown_at(back);
    CHECK(holds(page, "HTTP/1.1 200"));
    CHECK(holds(page, "is authorized: box0001@sim.test has signed in"));
    CHECK(holds(page, "Content-Security-Policy: default-src 'none'"));
    CHECK(holds(page, "Referrer-Policy: no-referrer"));
    CHECK(authorizing.end() == 0);
    CHECK(holds(authorizing.words(), "private window"));
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.amiss() == "");

    CHECK(holds(shown_at(back), "HTTP/1.1 403"));  // a code comes back once
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle() == 0);  // the grant is there after a restart
}

TEST_CASE("authorize: single sign-on signs the wrong person in, who is named, and nothing is stored",
          "[daemon][hostile-43]") {
    MailRig rig(wish_for("authorization_code", {"operator@sim.test"}));
    rig.put(1, 1);
    rig.import();
    rig.daemon.start();
    Authorizing wrong(rig);
    Browser workstation(rig);
    workstation.open(wrong.url());
    workstation.fill({{"account", "operator@sim.test"}});
    workstation.accept();
    const auto page = shown_at(workstation.location());
    CHECK(holds(page, "HTTP/1.1 403"));
    CHECK(holds(page, "operator@sim.test instead of box0001@sim.test"));
    CHECK(holds(page, "private window"));
    CHECK(wrong.end() == 77);
    CHECK(holds(wrong.words(), "operator@sim.test"));
    CHECK(holds(rig.daemon.log(), "id=wrong-identity"));
    CHECK(holds(rig.daemon.state_of("box0001"), "authorize it"));

    Authorizing right(rig);
    Browser alone(rig);
    alone.open(right.url());
    alone.fill({{"account", ""}});  // another account
    alone.sign_in("box0001@sim.test");
    alone.accept();
    CHECK(holds(shown_at(alone.location()), "HTTP/1.1 200"));
    CHECK(right.end() == 0);
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("authorize: refused consent, a made-up state, another host name, and what is no sign-in at all",
          "[daemon][hostile-42]") {
    MailRig rig(wish_for("authorization_code"));
    rig.import();
    rig.daemon.start();
    Authorizing authorizing(rig);
    Browser browser(rig);
    browser.open(authorizing.url());
    browser.fill({{"step", "cancel"}});
    const auto back = browser.location();
    const auto place = back.substr(0, back.find('?'));
    CHECK(holds(shown_at(place + "?code=x&state=made-up"), "was not begun here"));
    CHECK(holds(shown_at(place), "HTTP/1.1 400"));
    CHECK(holds(shown_at(place + "?state=<script>"), "HTTP/1.1 400"));
    CHECK_FALSE(holds(shown_at(place + "?code=x&state=%3Cscript%3E"), "<script>"));
    CHECK(holds(shown_at(place, {"-d", "x=y"}), "HTTP/1.1 405"));
    const auto elsewhere = shown_at(back, {"-H", "Host: desk.example"});
    CHECK(holds(elsewhere, "HTTP/1.1 421"));
    CHECK(holds(elsewhere, "It was opened as desk.example; the external URL is http://localhost:"));
    const auto checked = rig.daemon.ask({"check", "--json"}).output;
    CHECK(holds(checked, "callback-astray"));
    CHECK(holds(checked, "http://desk.example/oauth/callback; the redirect URL is " + place));
    CHECK_FALSE(holds(checked, "access_denied"));
    CHECK(holds(shown_at(back), "The sign-in was refused: access_denied"));
    CHECK(authorizing.end() == 77);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("authorize: by device code", "[daemon]") {
    MailRig rig(wish_for("device_code"));
    rig.put(1, 2);
    rig.import();
    rig.daemon.start();
    Authorizing authorizing(rig, {"--device"});
    std::string code;
    REQUIRE(eventually([&] {
        code = between(authorizing.words(), "enter the code  ", "  and");
        return !code.empty();
    }));
    Browser browser(rig);
    browser.send("POST", "/device", {{"user_code", code}});
    browser.sign_in("box0001@sim.test");
    browser.accept();
    CHECK(authorizing.end() == 0);
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("authorize: without a daemon, and for a credential that is not there, it says what to do", "[daemon]") {
    MailRig rig(wish_for("authorization_code"));
    rig.import();
    const Ran alone = rig.daemon.ask({"authorize", "anything"});
    CHECK(alone.exit_code != 0);
    CHECK(holds(alone.errors, "no daemon runs"));
    rig.daemon.start();
    const Ran unknown = rig.daemon.ask({"authorize", "nobody"});
    CHECK(unknown.exit_code != 0);
    CHECK(holds(unknown.errors, "there is no credential \"nobody\""));
    CHECK(rig.daemon.stop() == 0);
}
