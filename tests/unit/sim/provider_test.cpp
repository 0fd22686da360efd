#include "tools/rohrpost-sim/provider.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

#include "tests/support/directory.hpp"
#include "tests/support/line_client.hpp"

using support::LineClient;
namespace json = boost::json;

namespace {

const std::string box = "box0001@sim.test";

struct Rig {
    explicit Rig(sim::Options wish = {}) : provider(in_directory(std::move(wish))) { provider.start(); }

    sim::Options in_directory(sim::Options options) {
        options.directory = directory.path();
        options.population.mailboxes = 3;
        options.population.messages = 10;
        return options;
    }
    LineClient connect() { return {provider.ports().imap, provider.ca_file()}; }
    /// Logged in with the password, INBOX open.
    void open(LineClient& client, const std::string& address = box) {
        client.line();
        REQUIRE(holds(client.ask(fmt::format("LOGIN {} sim-password", address)), " OK "));
        REQUIRE(holds(client.ask("SELECT INBOX"), " OK "));
    }
    void fault(const std::string& text) {
        const auto one = sim::read_fault(text);
        REQUIRE(one);
        provider.ask([&](sim::World& world) {
            world.faults.add(*one);
            return 0;
        });
    }
    json::object control(const std::string& what, const json::object& body) {
        const auto answer = support::ask_https(provider.ports().https, provider.ca_file(), "/control/" + what,
                                               body.empty() ? "" : json::serialize(body));
        REQUIRE(answer.status == 200);
        return json::parse(answer.body).as_object();
    }
    support::HttpAnswer refresh(const std::string& token) {
        return support::ask_https(provider.ports().https, provider.ca_file(), "/token",
                                  "grant_type=refresh_token&client_id=x&refresh_token=" + token,
                                  "application/x-www-form-urlencoded");
    }
    std::string refresh_token(const std::string& user = box) {
        return provider.ask([&](sim::World& world) { return world.tokens.first_refresh_token(user); });
    }
    std::string access_token(const std::string& user = box) {
        return provider.ask([&](sim::World& world) { return world.tokens.issue(user); });
    }
    static bool holds(const std::vector<std::string>& lines, std::string_view part) {
        return std::any_of(lines.begin(), lines.end(),
                           [&](const std::string& line) { return line.find(part) != std::string::npos; });
    }

    support::TemporaryDirectory directory;
    sim::Provider provider;
};

}  // namespace

TEST_CASE("sim imap: a token opens its own mailbox only, the shared user's all", "[sim]") {
    Rig rig;
    LineClient client = rig.connect();
    CHECK(client.line().starts_with("* OK The Microsoft Exchange"));
    const auto log_in = [&](const std::string& user, const std::string& token) {
        return client.ask("AUTHENTICATE XOAUTH2 " + support::xoauth2_of(user, token)).back();
    };
    CHECK(log_in(box, "nonsense") == "t1 NO AUTHENTICATE failed.");
    CHECK(log_in("box0002@sim.test", rig.access_token()) == "t2 NO AUTHENTICATE failed.");
    CHECK(log_in("nobody@sim.test", rig.access_token("svc@sim.test")) == "t3 NO AUTHENTICATE failed.");
    CHECK(log_in("box0002@sim.test", rig.access_token("svc@sim.test")).starts_with("t4 OK"));
    CHECK(rig.control("counters", {}).at("logins_refused").as_int64() == 3);
}

TEST_CASE("sim imap: without an initial response the token comes on its own line", "[sim]") {
    Rig rig;
    LineClient client = rig.connect();
    client.line();
    client.say("a AUTHENTICATE XOAUTH2");
    CHECK(client.line() == "+ ");
    client.say(support::xoauth2_of(box, rig.access_token()));
    CHECK(client.line() == "a OK AUTHENTICATE completed.");
}

TEST_CASE("sim oidc: import.json names where everything is, and the endpoints are there over TLS", "[sim]") {
    for (const std::string style : {"exchange", "gmail"}) {
        CAPTURE(style);
        sim::Options options;
        options.style = style;
        options.oidc = true;
        options.flow = "authorization_code";
        Rig rig(options);
        std::ifstream file(rig.provider.import_file());
        const std::string text(std::istreambuf_iterator<char>(file), {});
        const json::object document = json::parse(text).as_object();
        const json::object& provider = document.at("providers").at(0).as_object();
        const auto target = [&](std::string_view key) {
            const std::string url(provider.at(key).as_string());
            const std::string base = fmt::format("https://localhost:{}", rig.provider.ports().https);
            REQUIRE(url.starts_with(base + "/"));
            return url.substr(base.size());
        };
        const auto ask = [&](const std::string& path, const std::string& form = "") {
            return support::ask_https(rig.provider.ports().https, rig.provider.ca_file(), path, form,
                                      "application/x-www-form-urlencoded");
        };
        const json::value configuration = json::parse(ask("/.well-known/openid-configuration").body);
        CHECK(configuration.at("issuer") == provider.at("issuer"));
        CHECK(configuration.at("jwks_uri") == provider.at("jwks_url"));
        CHECK(configuration.at("token_endpoint") == provider.at("token_url"));
        CHECK(json::parse(ask(target("jwks_url")).body).at("keys").as_array().size() == 1);
        CHECK(ask(target("authorize_url") + "?client_id=nobody").status >= 400);
        CHECK(ask(target("device_url"), "client_id=rohrpost-sim&scope=openid").status == 200);
        CHECK(ask(target("token_url"), "client_id=nobody&grant_type=refresh_token").status >= 400);
        const json::object& credential = document.at("credentials").at(0).as_object();
        CHECK(credential.at("flow") == "authorization_code");
        CHECK_FALSE(credential.contains("refresh_token"));
        CHECK(std::filesystem::exists(rig.provider.service_account_file()) == (style == "gmail"));
    }
}

TEST_CASE("sim imap: gmail style sends a challenge before it refuses", "[sim]") {
    sim::Options options;
    options.style = "gmail";
    Rig rig(options);
    LineClient client = rig.connect();
    CHECK(client.line().starts_with("* OK Gimap ready"));
    client.say("a AUTHENTICATE XOAUTH2 " + support::xoauth2_of(box, "bad"));
    CHECK(client.line() ==
          "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==");
    client.say("");
    CHECK(client.line() == "a NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)");
}

TEST_CASE("sim imap: pipelined fetches bring every byte", "[sim]") {
    Rig rig;
    LineClient client = rig.connect();
    rig.open(client);
    client.say("x UID FETCH 1:5 (UID BODY.PEEK[])\r\ny UID FETCH 6:10 (UID BODY.PEEK[])");
    for (std::uint32_t uid = 1; uid <= 10; ++uid) {
        CHECK(client.line() == fmt::format("* {0} FETCH (UID {0} BODY[] {{4096}}", uid));
        CHECK(client.bytes(4096) == sim::message_of(box, uid, 4096));
        CHECK(client.line() == ")");
        if (uid == 5) CHECK(client.line() == "x OK UID FETCH completed.");
    }
    CHECK(client.line() == "y OK UID FETCH completed.");
    CHECK(Rig::holds(client.ask("UID FETCH 3 (BODY.PEEK[]<4000.1000>)"), "BODY[]<4000> {96}"));
}

TEST_CASE("sim imap: IDLE tells of arrivals and removals at once", "[sim]") {
    Rig rig;
    LineClient client = rig.connect();
    rig.open(client);
    client.say("i IDLE");
    CHECK(client.line().starts_with("+ "));
    rig.control("append", {{"mailbox", box}, {"count", 2}});
    CHECK(client.line() == "* 11 EXISTS");
    CHECK(client.line() == "* 12 EXISTS");
    rig.control("delete", {{"mailbox", box}, {"uid", 3}});
    CHECK(client.line() == "* 3 EXPUNGE");
    client.say("DONE");
    CHECK(client.line() == "i OK IDLE completed.");
    CHECK(Rig::holds(client.ask("UID SEARCH UID 9:*"), "* SEARCH 9 10 11 12"));
}

TEST_CASE("sim imap: given messages come back as they were, flags stick, EXPUNGE removes", "[sim]") {
    Rig rig;
    LineClient client = rig.connect();
    rig.open(client);
    rig.control("append", {{"mailbox", box}, {"message", "Subject: mine\r\n\r\n8\xc3\xb6 bit\r\n"}});
    CHECK(client.ask("NOOP").front() == "* 11 EXISTS");
    CHECK(Rig::holds(client.ask("UID FETCH 11 (BODY.PEEK[])"), "{26}\r\nSubject: mine\r\n\r\n8\xc3\xb6 bit\r\n)"));
    CHECK(Rig::holds(client.ask("UID STORE 11,2 +FLAGS (\\Deleted \\Seen)"), "UID 11 FLAGS (\\Seen \\Deleted)"));
    CHECK(Rig::holds(client.ask("UID SEARCH DELETED"), "* SEARCH 2 11"));
    const auto expunged = client.ask("UID EXPUNGE 2");
    CHECK(Rig::holds(expunged, "* 2 EXPUNGE"));
    CHECK(Rig::holds(client.ask("STATUS INBOX (MESSAGES)"), "MESSAGES 10 UIDNEXT 12"));
    CHECK(Rig::holds(client.ask("UID SEARCH HEADER Message-ID <4.box0001@sim.test>"), "* SEARCH 4"));
}

TEST_CASE("sim imap: the session ends with its token", "[sim]") {
    sim::Options options;
    options.rules.lives_for = std::chrono::seconds(1);
    Rig rig(options);
    LineClient client = rig.connect();
    client.line();
    client.ask("AUTHENTICATE XOAUTH2 " + support::xoauth2_of(box, rig.access_token()));
    client.ask("SELECT INBOX");
    client.say("i IDLE");
    client.line();
    CHECK(client.line() == "* BYE Session invalidated - AccessTokenExpired");
    CHECK_THROWS_AS(client.line(), boost::system::system_error);
}

TEST_CASE("sim imap: a new UIDVALIDITY sends sessions away and keeps the messages", "[sim]") {
    Rig rig;
    LineClient before = rig.connect();
    rig.open(before);
    rig.control("uidvalidity", {{"mailbox", box}});
    CHECK(before.line().starts_with("* BYE "));
    LineClient after = rig.connect();
    rig.open(after);
    CHECK(Rig::holds(after.ask("SELECT INBOX"), "[UIDVALIDITY 170536]"));
    CHECK(Rig::holds(after.ask("UID FETCH 1001 (BODY.PEEK[])"), sim::message_of(box, 1, 4096)));
}

TEST_CASE("sim faults: the ways in which a fetch goes wrong", "[sim]") {
    Rig rig;
    LineClient client = rig.connect();
    rig.open(client);
    SECTION("OK without data for one UID") {
        rig.fault("no_data uid=2");
        const auto lines = client.ask("UID FETCH 1:3 (UID)");
        CHECK(lines.size() == 3);
        CHECK_FALSE(Rig::holds(lines, "UID 2"));
        CHECK(Rig::holds(lines, " OK "));
    }
    SECTION("NO for one UID, the others come") {
        rig.fault("refuse_uid uid=2 mailbox=" + box);
        const auto lines = client.ask("UID FETCH 1:3 (UID)");
        CHECK(lines.size() == 3);
        CHECK(lines.back().find(" NO ") != std::string::npos);
    }
    SECTION("a size that is not true, a UID after the body") {
        rig.fault("wrong_size value=5 times=1");
        rig.fault("uid_last times=1");
        const auto lines = client.ask("UID FETCH 1:2 (UID RFC822.SIZE)");
        CHECK(lines[0] == "* 1 FETCH (RFC822.SIZE 4101 UID 1)");
        CHECK(lines[1] == "* 2 FETCH (UID 2 RFC822.SIZE 4096)");
    }
    SECTION("the connection breaks inside a body") {
        rig.fault("drop_in_literal uid=2 value=100");
        client.say("x UID FETCH 2 (BODY.PEEK[])");
        client.line();
        CHECK(client.bytes(100) == sim::message_of(box, 2, 4096).substr(0, 100));
        CHECK_THROWS_AS(client.bytes(1), boost::system::system_error);
    }
    SECTION("EXISTS before the UID is to be found") {
        rig.control("append", {{"mailbox", box}, {"hidden_ms", 200}});
        CHECK(client.ask("NOOP").front() == "* 11 EXISTS");
        CHECK(Rig::holds(client.ask("UID FETCH 11:* (UID)"), "UID 10"));
        while (!Rig::holds(client.ask("UID SEARCH UID 11"), "* SEARCH 11")) continue;
        CHECK(Rig::holds(client.ask("UID FETCH 11:* (UID)"), "UID 11"));
    }
}

TEST_CASE("sim faults: the ways in which a session goes wrong", "[sim]") {
    Rig rig;
    LineClient client = rig.connect();
    SECTION("throttled, with the time to wait") {
        rig.open(client);
        rig.fault("throttle value=92415 times=1");
        CHECK(client.ask("CHECK").back() == "t3 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds");
        CHECK(client.ask("CHECK").back().starts_with("t4 OK"));
    }
    SECTION("authenticated but not connected") {
        rig.open(client);
        rig.fault("not_connected");
        CHECK(client.ask("SELECT INBOX").back() == "t3 BAD User is authenticated but not connected.");
    }
    SECTION("BYE for an answer") {
        rig.open(client);
        rig.fault("bye");
        client.say("x CHECK");
        CHECK(client.line() == "* BYE Connection closed. 14");
        CHECK_THROWS_AS(client.line(), boost::system::system_error);
    }
    SECTION("a stall ends after its time") {
        rig.open(client);
        rig.fault("stall value=50 times=1");
        CHECK(client.ask("CHECK").back().starts_with("t3 OK"));
    }
    SECTION("IDLE is not offered") {
        rig.open(client);
        rig.fault("no_idle");
        CHECK(client.ask("CAPABILITY").front().find(" IDLE") == std::string::npos);
        CHECK(client.ask("IDLE").back().starts_with("t4 BAD"));
    }
    SECTION("IDLE keeps silent, NOOP tells") {
        rig.open(client);
        rig.fault("lying_idle");
        client.say("x IDLE");
        client.line();
        rig.control("append", {{"mailbox", box}});
        client.say("DONE");
        CHECK(client.line() == "x OK IDLE completed.");
        CHECK(client.ask("NOOP").front() == "* 11 EXISTS");
    }
    SECTION("logins are refused") {
        rig.fault("refuse_login");
        client.line();
        CHECK(client.ask(fmt::format("LOGIN {} sim-password", box)).back().find(" NO ") != std::string::npos);
    }
    SECTION("the greeting is PREAUTH") {
        rig.fault("preauth");
        LineClient second = rig.connect();
        CHECK(second.line().starts_with("* PREAUTH"));
    }
}

TEST_CASE("sim token endpoint: refreshes, and tells a mail server whose token it is", "[sim]") {
    Rig rig;
    const auto answer = rig.refresh(rig.refresh_token());
    REQUIRE(answer.status == 200);
    const json::object granted = json::parse(answer.body).as_object();
    CHECK(granted.at("expires_in").as_int64() == 3600);
    const std::string token(granted.at("access_token").as_string());
    const auto ask = [&](const std::string& asked) {
        return support::ask_https(rig.provider.ports().https, rig.provider.ca_file(), "/introspect?token=" + asked)
            .body;
    };
    CHECK(json::parse(ask(token)).at("username").as_string() == box);
    CHECK(ask("nonsense") == R"({"active":false})");
    rig.control("expire-tokens", {{"user", box}});
    CHECK(ask(token) == R"({"active":false})");
    CHECK(rig.refresh("nonsense").status == 400);
}

TEST_CASE("sim token endpoint: goes wrong on demand", "[sim]") {
    Rig rig;
    const std::string token = rig.refresh_token();
    rig.fault("token_throttled value=7 times=1");
    const auto throttled = rig.refresh(token);
    CHECK(throttled.status == 429);
    CHECK(throttled.head.find("Retry-After: 7") != std::string::npos);
    rig.fault("token_html times=1");
    CHECK(rig.refresh(token).status == 500);
    rig.fault("token_invalid_grant times=1 mailbox=" + box);
    CHECK(rig.refresh(rig.refresh_token("box0002@sim.test")).status == 200);
    const auto refused = rig.refresh(token);
    CHECK(refused.status == 400);
    CHECK(json::parse(refused.body).at("error").as_string() == "invalid_grant");
    rig.fault("token_huge value=200000 times=1");
    CHECK(rig.refresh(token).body.size() == 200'000);
    rig.fault("token_drop times=1");
    CHECK_THROWS_AS(rig.refresh(token), boost::system::system_error);
    rig.fault("token_slow value=30 times=1");
    CHECK(rig.refresh(token).status == 200);
    rig.control("revoke", {{"user", box}});
    CHECK(rig.refresh(token).status == 400);
}

TEST_CASE("sim provider: the import document names what it serves", "[sim]") {
    sim::Options options;
    options.shared_credential = GENERATE(false, true);
    options.consumer = "maildir:/tmp/mail";
    const bool shared = options.shared_credential;
    Rig rig(options);
    const json::value document = json::parse(support::contents_of(rig.provider.import_file()));
    CHECK(document.at("credentials").as_array().size() == (shared ? 1 : 3));
    CHECK(document.at("mailboxes").as_array().size() == 3);
    CHECK(document.at("mailboxes").at(1).at("credential").as_string() == (shared ? "svc" : "box0002"));
    CHECK(document.at("consumers").at(0).at("path").as_string() == "/tmp/mail");
    const json::value& provider = document.at("providers").at(0);
    CHECK(provider.at("imap").at("port").as_int64() == rig.provider.ports().imap);
    CHECK(std::filesystem::exists(std::string(provider.at("ca_file").as_string())));
    const std::string token(document.at("credentials").at(0).at("refresh_token").at("value").as_string());
    CHECK(rig.refresh(token).status == 200);
}

TEST_CASE("sim provider: mail keeps coming at the wished rate", "[sim]") {
    sim::Options options;
    options.arrivals_per_second = 2000;
    Rig rig(options);
    LineClient client = rig.connect();
    rig.open(client);
    client.say("i IDLE");
    client.line();
    for (int arrival = 0; arrival < 50; ++arrival) CHECK(client.line().ends_with(" EXISTS"));
}
