// POP3 against Debian's Dovecot: the client alone, then the daemon from the server to the Maildir.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "protocols/net/system_dialer.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/pop3/client.hpp"
#include "queue/store/sqlite.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/dovecot.hpp"
#include "tests/support/mail_rig.hpp"
#include "tests/support/running.hpp"

using support::Dovecot;
using support::eventually;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

const std::string box = "box0001@sim.test";

sim::Options options_in(const support::TemporaryDirectory& directory) {
    sim::Options options;
    options.directory = directory.path();
    return options;
}

/// A pretend provider that only vouches for tokens, and a Dovecot that believes it and speaks POP3.
struct Rig {
    Rig() : provider(options_in(directory)), pop3_port(support::free_port()), plain_port(support::free_port()) {
        provider.start();
        Dovecot::Wish wish;
        wish.introspection_port = provider.ports().http;
        wish.authority = &provider.authority();
        wish.settings = Dovecot::pop3_settings(pop3_port) +
                        fmt::format(
                            "service pop3-login {{\n  inet_listener pop3 {{\n    address = 127.0.0.1\n"
                            "    port = {}\n  }}\n}}\n",
                            plain_port);
        dovecot = std::make_unique<Dovecot>(std::move(wish));
    }
    std::string token() {
        return provider.ask([](sim::World& world) { return world.tokens.issue(box); });
    }
    void put(std::uint32_t from, std::uint32_t count, std::size_t bytes = 2048) {
        std::vector<std::string> mails;
        for (auto number = from; number < from + count; ++number) mails.push_back(sim::message_of(box, number, bytes));
        dovecot->put(box, mails);
    }
    /// How many messages the server has.
    std::size_t left() {
        std::size_t count = 0;
        const std::string listed = dovecot->doveadm(box, {"search", "mailbox", "INBOX", "all"});
        for (const char c : listed) count += c == '\n' ? 1 : 0;
        return count;
    }

    support::TemporaryDirectory directory;
    sim::Provider provider;
    std::uint16_t pop3_port, plain_port;  // TLS, STLS
    std::unique_ptr<Dovecot> dovecot;
};

/// The daemon for one POP3 mailbox of a rig.
struct Desk : Rig {
    [[nodiscard]] json::object document(const std::string& after) {
        json::object document = json::parse(provider.import_document_with(dovecot->port())).as_object();
        auto& one = document.at("providers").as_array().at(0).as_object();
        one["pop3"] = json::object{{"host", "localhost"}, {"port", pop3_port}, {"tls", "implicit"}};
        document["consumers"] =
            json::array{json::object{{"id", "dir"}, {"kind", "maildir"}, {"path", daemon.maildir().string()}}};
        for (auto& each : document.at("mailboxes").as_array()) {
            auto& mailbox = each.as_object();
            mailbox.erase("folders");
            mailbox["protocol"] = "pop3";
            mailbox["after"] = after;
            mailbox["consumer"] = "dir";
        }
        return document;
    }
    void import(const std::string& after) { daemon.import(json::serialize(document(after))); }
    void start() { daemon.start({"--poll-interval", "1s"}); }
    void expect(std::uint32_t count) {
        expected.clear();
        for (std::uint32_t number = 1; number <= count; ++number) expected.insert(fmt::format("{} {}", box, number));
    }
    [[nodiscard]] std::string amiss() const {
        return support::difference(expected, support::mails_in(daemon.maildir()));
    }
    [[nodiscard]] std::size_t arrived() const { return support::count_in(daemon.maildir()); }

    support::Daemon daemon;
    support::Mails expected;
};

/// What a session brought.
struct Session {
    pop3::Answer login;
    pop3::Capabilities offered;
    std::vector<std::string> uidls;
    std::vector<std::uint64_t> sizes;
    support::CollectingSink heads;
    support::CollectingSink bodies;
    pop3::Answer left;
};

enum class Then { keep, remove };

/// A connection to a POP3 server, each step run to its end.
class Caller {
public:
    Caller(Rig& rig, std::uint16_t port, net::Security security = net::Security::implicit_tls) {
        const net::TlsClient::Trust trust{.ca_file = rig.provider.ca_file().string()};
        tls_ = *net::TlsClient::make(trust);
        net::Dial to{.host = "localhost", .port = port, .security = security, .tls = tls_, .within = 10s};
        auto dialled = ran(dialer_.dial(std::move(to)));
        REQUIRE(dialled.has_value());
        stream_ = std::move(*dialled);
        client_ = std::make_unique<pop3::Client>(*stream_, pop3::Limits{}, pop3::Paces{});
        REQUIRE(ran(client_->greet()).has_value());
        REQUIRE(ran(client_->learn_capabilities()).has_value());
        if (security == net::Security::implicit_tls) return;
        const auto secured = ran(client_->start_tls(*tls_, "localhost"));
        REQUIRE(secured.has_value());
        REQUIRE(secured->ok());
        REQUIRE(ran(client_->learn_capabilities()).has_value());
    }

    pop3::Answer log_in(pop3::Login login) {
        auto answer = ran(client_->log_in(std::move(login)));
        INFO((answer ? std::string() : answer.error().message()));
        REQUIRE(answer.has_value());
        return *answer;
    }
    void visit(Then then, Session& into) {
        into.offered = client_->capabilities();
        auto named = ran(client_->uidl());
        REQUIRE(named.has_value());
        for (const auto& entry : named->entries) into.uidls.push_back(entry.uidl);
        auto listed = ran(client_->list());
        REQUIRE(listed.has_value());
        std::vector<pop3::Number> numbers;
        for (const auto& entry : listed->entries) {
            into.sizes.push_back(entry.bytes);
            numbers.push_back(entry.number);
        }
        into.heads.sizes_are_hints = true;
        REQUIRE(ran(client_->fetch(listed->entries, pop3::Client::Part::head, into.heads)).has_value());
        REQUIRE(ran(client_->fetch(listed->entries, pop3::Client::Part::whole, into.bodies)).has_value());
        if (then == Then::remove) {
            const auto refused = ran(client_->remove(std::move(numbers)));
            REQUIRE(refused.has_value());
            CHECK(refused->empty());
        }
        const auto left = ran(client_->quit());
        REQUIRE(left.has_value());
        into.left = *left;
    }

private:
    template <class T>
    T ran(awaitable<T> coroutine) {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(context_, std::move(coroutine), [&](std::exception_ptr thrown, T value) {
            failure = thrown;
            result = std::move(value);
        });
        context_.restart();
        while (!result && context_.run_one() > 0) {
        }
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }

    asio::io_context context_{1};
    SystemClock clock_;
    Timers timers_{clock_};
    TimersDriver driver_{context_, timers_};
    net::SystemDialer dialer_{context_, timers_, {}};
    std::shared_ptr<const net::TlsClient> tls_;
    std::unique_ptr<net::Stream> stream_;
    std::unique_ptr<pop3::Client> client_;
};

pop3::Login login_of(Rig& rig, pop3::Mechanism mechanism, pop3::Initial initial = pop3::Initial::own_line) {
    const bool token = mechanism == pop3::Mechanism::xoauth2 || mechanism == pop3::Mechanism::oauthbearer;
    return {mechanism,   box,           Secret(token ? rig.token() : std::string(Dovecot::password)),
            "localhost", rig.pop3_port, initial};
}

/// Dots at all the places where they matter.
std::string dotted() {
    return "Subject: dots\r\nMessage-ID: <dots@sim.test>\r\n\r\n.\r\n..\r\n.a\r\n\r\n. \r\n" + std::string(5000, '.') +
           "\r\n.\r\n";
}

}  // namespace

TEST_CASE("pop3: Dovecot takes each mechanism, and gives every message byte for byte", "[dovecot][pop3]") {
    using pop3::Mechanism;
    Rig rig;
    rig.put(1, 3);
    rig.dovecot->put(box, {dotted(), sim::message_of(box, 4, 3'000'000)});
    for (const auto mechanism : {Mechanism::xoauth2, Mechanism::oauthbearer, Mechanism::plain, Mechanism::user_pass}) {
        const auto initial = GENERATE(pop3::Initial::own_line, pop3::Initial::with_command);
        CAPTURE(static_cast<int>(mechanism), static_cast<int>(initial));
        Caller caller(rig, rig.pop3_port);
        REQUIRE(caller.log_in(login_of(rig, mechanism, initial)).ok());
        Session session;
        caller.visit(Then::keep, session);
        CHECK(session.offered.pipelining);
        CHECK(session.uidls.size() == 5);
        CHECK(session.bodies.violations == std::vector<std::string>{});
        CHECK(session.bodies.bodies.at(2) == sim::message_of(box, 2, 2048));
        CHECK(session.bodies.bodies.at(4) == dotted());
        CHECK(session.bodies.bodies.at(5) == sim::message_of(box, 4, 3'000'000));
        CHECK(session.heads.bodies.at(4) == "Subject: dots\r\nMessage-ID: <dots@sim.test>\r\n\r\n");
    }
    CHECK(rig.left() == 5);
}

TEST_CASE("pop3: a token that is none is refused with what the server says about it", "[dovecot][pop3]") {
    Rig rig;
    for (const auto mechanism : {pop3::Mechanism::xoauth2, pop3::Mechanism::oauthbearer}) {
        Caller caller(rig, rig.pop3_port);
        auto login = login_of(rig, mechanism);
        login.secret = Secret("nonsense");
        const auto answer = caller.log_in(std::move(login));
        CHECK_FALSE(answer.ok());
        CHECK(answer.code == "AUTH");
        CHECK(answer.challenge.find("status") != std::string::npos);
    }
}

TEST_CASE("pop3: STLS with Dovecot, and removal with QUIT", "[dovecot][pop3]") {
    Rig rig;
    rig.put(1, 2);
    Caller caller(rig, rig.plain_port, net::Security::plain);
    REQUIRE(caller.log_in(login_of(rig, pop3::Mechanism::plain)).ok());
    Session session;
    caller.visit(Then::remove, session);
    CHECK(session.left.ok());
    CHECK(rig.left() == 0);
}

TEST_CASE("pop3: mail goes from Dovecot to the Maildir once, over restarts, and stays where it was",
          "[dovecot][pop3][threads]") {
    Desk desk;
    desk.put(1, 20);
    desk.expect(20);
    desk.import("keep");
    desk.start();
    REQUIRE(eventually([&] { return desk.arrived() >= 20; }));
    REQUIRE(eventually([&] { return desk.daemon.state_of("box0001") == "scheduled"; }));
    CHECK(desk.amiss() == "");
    desk.put(21, 5);
    desk.expect(25);
    REQUIRE(eventually([&] { return desk.arrived() >= 25; }));
    CHECK(desk.daemon.stop() == 0);
    desk.put(26, 1);
    desk.expect(26);
    desk.start();
    CHECK(eventually([&] { return desk.arrived() >= 26; }));
    CHECK(desk.daemon.stop() == 0);
    CHECK(desk.amiss() == "");
    CHECK(desk.left() == 26);
}

TEST_CASE("pop3: with `after` delete mail goes once it was handed off", "[dovecot][pop3]") {
    Desk desk;
    desk.put(1, 10);
    desk.expect(10);
    desk.import("delete");
    desk.start();
    CHECK(eventually([&] { return desk.left() == 0; }));
    CHECK(desk.amiss() == "");
    desk.put(11, 1);
    desk.expect(11);
    CHECK(eventually([&] { return desk.arrived() >= 11 && desk.left() == 0; }));
    CHECK(desk.daemon.stop() == 0);
    CHECK(desk.amiss() == "");
}

TEST_CASE("pop3: UIDLs that Dovecot renumbers bring no mail twice", "[dovecot][pop3]") {
    Desk desk;
    desk.put(1, 30);
    desk.expect(30);
    desk.import("keep");
    CHECK(desk.daemon.run_until_idle() == 0);
    CHECK(desk.amiss() == "");
    desk.dovecot->set_uid_validity(box, 4711);  // a part of its UIDLs
    desk.put(31, 2);
    desk.expect(32);
    CHECK(desk.daemon.run_until_idle() == 0);
    CHECK(desk.amiss() == "");
    CHECK(desk.daemon.log().find("recognised=30") != std::string::npos);
}

TEST_CASE("pop3: an audit finds what the ledger has lost, fetches it, and adds up", "[dovecot][pop3][audit]") {
    Desk desk;
    desk.put(1, 10);
    desk.import("keep");
    REQUIRE(desk.daemon.run_until_idle() == 0);
    REQUIRE(desk.daemon.ask({"mailbox", "list"}).exit_code == 0);  // moves all rows to their tables
    {
        auto database = store::Database::open((desk.daemon.data() / "ledger.db").string(), "");
        REQUIRE(database.has_value());
        REQUIRE(database
                    ->run("DELETE FROM message WHERE seq = 4; DELETE FROM message_uid WHERE seq = 4;"
                          "DELETE FROM message_id WHERE seq = 4")
                    .has_value());
    }
    desk.start();
    const auto audited = [&desk] { return desk.daemon.mailbox("box0001").contains("audit"); };
    REQUIRE(eventually(audited));
    const auto first = desk.daemon.mailbox("box0001").at("audit").as_object();
    CHECK(first.at("found") == 1);
    CHECK(first.at("unknown") == 0);
    const auto ran = desk.daemon.ask({"mailbox", "audit", "box0001", "--json"});
    CHECK(ran.exit_code == 0);
    const auto line = json::parse(ran.output).as_object();
    CHECK(line.at("found") == 0);
    CHECK(line.at("folders").at(0).at("on_server") == 10);
    CHECK(line.at("folders").at(0).at("unknown") == 0);
    CHECK(desk.daemon.stop() == 0);
}

TEST_CASE("pop3: a daemon that is killed again and again loses and doubles nothing", "[dovecot][pop3]") {
    Desk desk;
    desk.put(1, 200);
    desk.expect(200);
    desk.import("delete");
    for (std::size_t wanted : {1U, 60U, 120U}) {
        desk.daemon.launch({"--poll-interval", "1s"});
        REQUIRE(eventually([&] { return desk.arrived() >= wanted; }));
        desk.daemon.kill();
    }
    desk.start();
    CHECK(eventually([&] { return desk.arrived() >= 200 && desk.left() == 0; }));
    CHECK(desk.daemon.stop() == 0);
    // A Maildir takes the same message id once: what was handed off twice across a kill has one file.
    CHECK(desk.amiss() == "");
}

TEST_CASE("pop3: mailbox show tells when it is visited next, and a wrong token asks for a person", "[dovecot][pop3]") {
    Desk desk;
    desk.import("keep");
    desk.daemon.start({"--poll-interval", "1h"});
    REQUIRE(eventually([&] { return desk.daemon.state_of("box0001") == "scheduled"; }));
    const auto shown = desk.daemon.mailbox("box0001");
    CHECK(shown.contains("next_attempt"));
    CHECK(shown.contains("last_proof"));
    CHECK(desk.daemon.ask({"mailbox", "pause", "box0001"}).exit_code == 0);
    CHECK(eventually([&] { return desk.daemon.state_of("box0001").find("paused") == 0; }));
    desk.put(1, 1);
    desk.expect(1);
    CHECK(desk.daemon.ask({"mailbox", "resume", "box0001"}).exit_code == 0);
    // The plan of before the pause holds, but somebody asked.
    CHECK(eventually([&] { return desk.arrived() >= 1; }));
    CHECK(desk.daemon.stop() == 0);
    CHECK(desk.amiss() == "");
}
