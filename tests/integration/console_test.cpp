// The console over the network: the token of the API, log-in, sign-ins through pages, TLS, and a process of its own.

#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/console_browser.hpp"
#include "tests/support/mail_rig.hpp"
#include "tests/support/places.hpp"
#include "tests/support/provider_browser.hpp"
#include "tests/support/running.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

using support::between;
using support::ConsoleBrowser;
using support::eventually;
using support::MailRig;
using support::Process;
using support::Ran;

namespace {

const std::string token_words = "(rohrpost api-token makes another): ";

MailRig::Wish wish_for(std::string flow) {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.flow = std::move(flow);
    return wish;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
std::string status_of(const std::string& answer) { return answer.substr(0, answer.find('\r')).substr(9, 3); }
std::string location_in(const std::string& answer) { return between(answer, "Location: ", "\r"); }

std::uint16_t port_of(const std::string& log) {
    return static_cast<std::uint16_t>(std::stoi(between(log, "console address=127.0.0.1 port=", " ")));
}

/// The API's answer, with status line and headers.
std::string api(const std::string& url, const std::string& token, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"curl", "-s", "-i", "--max-time", "30", "-H", "Authorization: Bearer " + token, url};
    words.insert(words.end(), more.begin(), more.end());
    return support::run_to_end({.command = words}, std::chrono::seconds(40)).output;
}

std::string new_token(const support::Daemon& daemon) {
    auto token = daemon.ask({"api-token"}).output;
    REQUIRE(token.size() == 44);
    token.pop_back();
    return token;
}

/// `rohrpost run --roles console` as on an application server, with nothing but the address of the services server.
class Apart {
public:
    Apart(const MailRig& rig, const std::string& services, const std::string& token, std::uint16_t port,
          const std::string& external_url = {})
        : token_file_(rig.daemon.file("services-token")), data_(rig.daemon.file("no-data")) {
        put(token);
        std::vector<std::string> words{support::binary_directory() + "/bin/rohrpost",
                                       "run",
                                       "--roles",
                                       "console",
                                       "--data",
                                       data_.string(),
                                       "--services-server",
                                       services,
                                       "--services-token-file",
                                       token_file_.string(),
                                       "--console",
                                       fmt::format("127.0.0.1:{}", port)};
        if (!external_url.empty()) words.insert(words.end(), {"--external-url", external_url});
        process_.emplace(Process::Start{.command = words});
        REQUIRE(eventually([this] { return holds(log(), "console address="); }));
    }
    void put(const std::string& token) const { std::ofstream(token_file_) << token << "\n"; }
    [[nodiscard]] std::string log() const { return process_->errors(); }
    void signal(int number) const { process_->signal(number); }
    int stop() {
        process_->signal(SIGTERM);
        const auto code = process_->wait(std::chrono::seconds(30));
        REQUIRE(code.has_value());
        return *code;
    }
    [[nodiscard]] bool keeps_nothing() const { return !std::filesystem::exists(data_); }

private:
    std::filesystem::path token_file_, data_;
    std::optional<Process> process_;
};

}  // namespace

TEST_CASE("api: the token is shown once, opens the API, and a new one ends it, guessing stops, probes go on",
          "[daemon][hostile-54]") {
    MailRig rig(wish_for("authorization_code"));
    rig.import();
    rig.daemon.start({"--log-level", "error"});
    const auto first = between(rig.daemon.log(), token_words, "\n");
    REQUIRE(first.size() == 43);
    CHECK(rig.daemon.stop() == 0);
    rig.daemon.start();
    CHECK_FALSE(holds(rig.daemon.log(), first));
    CHECK_FALSE(holds(rig.daemon.log(), token_words));
    const auto url = fmt::format("http://127.0.0.1:{}", port_of(rig.daemon.log()));

    CHECK(holds(api(url + "/v1/credentials", first), "\"no grant yet\""));
    const auto refused = api(url + "/v1/credentials", "wrong");
    CHECK(status_of(refused) == "401");
    CHECK(holds(refused, "WWW-Authenticate: Bearer"));
    CHECK(status_of(api(url + "/v1/api-token", first, {"-X", "POST"})) == "403");

    const auto second = new_token(rig.daemon);
    CHECK(status_of(api(url + "/v1/status", first)) == "401");
    CHECK(status_of(api(url + "/v1/status", second)) == "200");
    CHECK(status_of(api(url + "/v1/configuration", second, {"-X", "PUT", "-d", "{}"})) == "200");

    bool stopped = false;
    for (int at = 0; at < 20 && !stopped; ++at) stopped = status_of(api(url + "/v1/status", "guess")) == "429";
    CHECK(stopped);
    CHECK(status_of(api(url + "/v1/status", second)) == "429");
    CHECK(status_of(api(url + "/healthz", "")) == "200");
    const auto numbers = api(url + "/metrics", "");
    CHECK(holds(numbers, "rohrpost_console_wrong_tokens_total 10"));
    CHECK_FALSE(holds(numbers, "rohrpost_console_turned_away_total 0"));
    CHECK(holds(numbers, "rohrpost_messages_stored_total 0"));
    ConsoleBrowser browser(fmt::format("http://localhost:{}", port_of(rig.daemon.log())));
    CHECK(status_of(browser.get("/oauth/callback?code=c&state=s")) == "403");  // an answer, not a 429
    CHECK(status_of(browser.log_in(second)) == "429");

    CHECK(rig.daemon.stop() == 0);
    const auto third = new_token(rig.daemon);  // without a daemon
    rig.daemon.start();
    const auto again = fmt::format("http://127.0.0.1:{}", port_of(rig.daemon.log()));
    CHECK(status_of(api(again + "/v1/status", third)) == "200");
    // A call whose head is judged before its body comes is one attempt, too: nine are no reason to be turned away.
    const std::vector<std::string> in_chunks{"-X", "PUT", "-H", "Transfer-Encoding: chunked", "-d", "{}"};
    for (int at = 0; at < 9; ++at) CHECK(status_of(api(again + "/v1/configuration", "guess", in_chunks)) == "401");
    CHECK(status_of(api(again + "/v1/configuration", third, in_chunks)) == "200");
    const auto secrets = api(again + "/v1/configuration?secrets=open", third);
    CHECK(status_of(secrets) == "403");
    CHECK(holds(secrets, "control socket"));
    CHECK(rig.daemon.stop() == 0);
    CHECK_FALSE(holds(rig.daemon.log(), third));
}

TEST_CASE("console: a sign-in through its pages, on a machine of its own, makes mail arrive at the services server",
          "[daemon][hostile-42][threads]") {
    MailRig rig(wish_for("authorization_code"));
    rig.put(1, 2);
    rig.import();
    const auto port = support::free_port();
    const auto url = fmt::format("http://localhost:{}", port);
    rig.daemon.start({"--external-url", url});
    const auto token = between(rig.daemon.log(), token_words, "\n");
    Apart apart(rig, fmt::format("http://127.0.0.1:{}", port_of(rig.daemon.log())), token, port);
    ConsoleBrowser browser(url);

    CHECK(location_in(browser.get("/credentials/box0001")) == "/login?next=/credentials/box0001");
    CHECK(status_of(browser.log_in("wrong")) == "403");
    REQUIRE(status_of(browser.log_in(token)) == "303");
    const auto home = browser.get("/");
    CHECK(holds(home, "no grant yet"));
    CHECK(eventually([&] { return holds(browser.get("/"), "needs help"); }));
    const auto csrf = ConsoleBrowser::csrf_in(home);
    const auto page = browser.get("/credentials/box0001");
    CHECK(holds(page, "<strong id=\"account\">box0001@sim.test</strong>"));
    CHECK(holds(page, "private window"));
    CHECK(holds(page, url + "/oauth/callback"));

    const std::string begin = "/credentials/box0001/sign-in";
    CHECK(status_of(browser.post(begin, {"by=browser"})) == "403");
    CHECK(status_of(browser.post(begin, {"by=browser", "csrf=" + csrf}, {"-H", "Origin: http://evil.test"})) == "403");
    const auto begun = browser.post(begin, {"by=browser", "csrf=" + csrf});
    REQUIRE(status_of(begun) == "303");
    const auto waits_at = location_in(begun);
    const auto waiting = browser.get(waits_at);
    CHECK(holds(waiting, "http-equiv=\"refresh\""));
    auto there = between(waiting, "id=\"provider\" rel=\"noreferrer\" href=\"", "\"");
    for (auto at = there.find("&amp;"); at != std::string::npos; at = there.find("&amp;")) there.replace(at, 5, "&");

    support::ProviderBrowser provider(rig);
    provider.open(there);
    provider.sign_in("box0001@sim.test");
    provider.accept();
    const auto back = provider.location();
    REQUIRE(back.starts_with(url + "/oauth/callback?"));

    ConsoleBrowser elsewhere(url);  // the address was stolen, or the window is another one
    const auto other = elsewhere.get(back);
    CHECK(status_of(other) == "403");
    CHECK(holds(other, "was begun in another browser"));
    CHECK(holds(browser.get(waits_at), "http-equiv=\"refresh\""));
    const auto done = browser.get(back);
    CHECK(status_of(done) == "200");
    CHECK(holds(done, "is authorized: box0001@sim.test has signed in"));
    CHECK(status_of(browser.get(back)) == "403");
    CHECK(holds(browser.get(waits_at), "is authorized"));
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(holds(browser.get("/credentials/box0001"), "box0001@sim.test, 20"));  // who has signed in, and when
    CHECK(holds(browser.get("/"), ">current<"));
    const auto numbers = api(url + "/metrics", "");
    for (const auto* line : {"rohrpost_console_services_server_reachable 1", "rohrpost_console_log_ins_total 1",
                             "rohrpost_console_wrong_tokens_total 1", "sign_ins_total{result=\"stored\"} 1",
                             "sign_ins_total{result=\"failed\"} 2", "rohrpost_console_misdirected_total 0"}) {
        CHECK(holds(numbers, line));
    }
    CHECK_FALSE(holds(numbers, "pages_total{status=\"2xx\"} 0"));
    CHECK(status_of(browser.post("/logout", {"csrf=" + csrf})) == "303");
    CHECK(location_in(browser.get("/")) == "/login");
    CHECK(apart.keeps_nothing());
    CHECK(apart.stop() == 0);
    CHECK(rig.amiss() == "");
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("console: an address that is pasted, and a code on another device, finish a sign-in", "[daemon]") {
    MailRig rig(wish_for("authorization_code"));
    rig.put(1, 1);
    rig.import();
    rig.daemon.start();
    const auto url = fmt::format("http://localhost:{}", port_of(rig.daemon.log()));
    ConsoleBrowser browser(url);
    REQUIRE(status_of(browser.log_in(between(rig.daemon.log(), token_words, "\n"))) == "303");
    const auto csrf = "csrf=" + ConsoleBrowser::csrf_in(browser.get("/"));

    const auto waits_at = location_in(browser.post("/credentials/box0001/sign-in", {"by=browser", csrf}));
    auto there = between(browser.get(waits_at), "id=\"provider\" rel=\"noreferrer\" href=\"", "\"");
    for (auto at = there.find("&amp;"); at != std::string::npos; at = there.find("&amp;")) there.replace(at, 5, "&");
    support::ProviderBrowser provider(rig);
    provider.open(there);
    provider.sign_in("box0001@sim.test");
    provider.accept();
    const auto nonsense = browser.post(waits_at + "/address", {"address=http://evil.test/?code=1&state=2", csrf});
    CHECK(status_of(nonsense) == "422");
    CHECK(holds(nonsense, "not the address of a finished sign-in"));
    const auto pasted = browser.post(waits_at + "/address", {"address= " + provider.location() + " ", csrf});
    CHECK(status_of(pasted) == "200");
    CHECK(holds(pasted, "is authorized: box0001@sim.test"));
    CHECK(eventually([&] { return rig.all_arrived(); }));

    const auto device_at = location_in(browser.post("/credentials/box0001/sign-in", {"by=device", csrf}));
    const auto code = between(browser.get(device_at), "id=\"user-code\">", "<");
    support::ProviderBrowser phone(rig);
    phone.send("POST", "/device", {{"user_code", code}});
    phone.sign_in("box0001@sim.test");  // the consent is known
    CHECK(eventually([&] { return holds(browser.get(device_at), "is authorized: box0001@sim.test"); }));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("console: a services server that is away, has another token or another external URL is explained",
          "[daemon][hostile-44]") {
    MailRig rig(wish_for("authorization_code"));
    rig.import();
    const auto port = support::free_port();
    const auto url = fmt::format("http://localhost:{}", port);
    rig.daemon.start();  // its external URL is its own
    const auto token = between(rig.daemon.log(), token_words, "\n");
    Apart apart(rig, fmt::format("http://127.0.0.1:{}", port_of(rig.daemon.log())), token, port);
    ConsoleBrowser browser(url);
    REQUIRE(status_of(browser.log_in(token)) == "303");
    CHECK(status_of(browser.get("/readyz")) == "200");
    const auto mismatch = browser.get("/credentials/box0001");
    CHECK(holds(mismatch, fmt::format("http://localhost:{}/oauth/callback", port_of(rig.daemon.log()))));
    CHECK(holds(mismatch, url));
    CHECK(holds(mismatch, "--external-url"));
    CHECK_FALSE(holds(mismatch, "name=\"by\""));

    const auto renewed = new_token(rig.daemon);
    const auto wrong = browser.get("/");
    CHECK(status_of(wrong) == "502");
    CHECK(holds(wrong, "does not take this machine&#39;s token"));
    CHECK(holds(wrong, "rohrpost api-token"));
    apart.put(renewed);
    apart.signal(SIGHUP);
    // Whoever logged in with the old token is out.
    CHECK(eventually([&] { return location_in(browser.get("/")) == "/login"; }));
    REQUIRE(status_of(browser.log_in(renewed)) == "303");
    CHECK(status_of(browser.get("/")) == "200");

    CHECK(rig.daemon.stop() == 0);
    const auto away = browser.get("/");
    CHECK(status_of(away) == "502");
    CHECK(holds(away, "cannot be reached"));
    CHECK(status_of(browser.get("/readyz")) == "503");
    CHECK(status_of(browser.get("/healthz")) == "200");
    const auto numbers = browser.get("/metrics");
    CHECK(holds(numbers, "rohrpost_console_services_server_reachable 0"));
    CHECK_FALSE(holds(numbers, "services_server_failures_total 0"));
    CHECK(apart.stop() == 0);
}

TEST_CASE("console: TLS with a certificate that is renewed without a restart", "[daemon]") {
    MailRig rig(wish_for("authorization_code"));
    rig.import();
    const sim::Authority authority("console authority"), other("another authority");
    const auto ca = rig.daemon.file("console-ca.pem"), certificate = rig.daemon.file("console.pem");
    const auto key = rig.daemon.file("console-key.pem");
    const auto issue = [&](const sim::Authority& by) {
        const auto identity = by.issue({});
        sim::write_private_file(ca, by.certificate_pem());
        sim::write_private_file(certificate, identity.chain_pem);
        sim::write_private_file(key, identity.key_pem);
    };
    issue(authority);
    const std::vector<std::string> flags{"--console-certificate", certificate.string(), "--console-private-key",
                                         key.string()};
    rig.daemon.start(flags);
    const auto url = fmt::format("https://localhost:{}", port_of(rig.daemon.log()));
    ConsoleBrowser browser(url, {"--cacert", ca.string()});
    const auto in = browser.log_in(between(rig.daemon.log(), token_words, "\n"));
    CHECK(status_of(in) == "303");
    CHECK(holds(in, "__Host-rohrpost-session="));
    CHECK(holds(in, "; Secure"));
    CHECK(status_of(browser.get("/")) == "200");

    issue(other);
    rig.daemon.process().signal(SIGHUP);
    CHECK(eventually([&] { return browser.get("/").starts_with("HTTP/1.1 200"); }));
    sim::write_private_file(key, "nonsense");
    rig.daemon.process().signal(SIGHUP);
    CHECK(eventually([&] { return holds(rig.daemon.log(), "id=certificate-not-taken"); }));
    CHECK(holds(rig.daemon.log(), key.string()));
    CHECK(status_of(browser.get("/")) == "200");
    CHECK(rig.daemon.stop() == 0);

    rig.daemon.launch(flags);
    CHECK(rig.daemon.wait(std::chrono::seconds(30)) == 78);
    CHECK(holds(rig.daemon.log(), key.string()));
    CHECK(holds(rig.daemon.log(), "give the PEM file of the certificate's key"));
}
