#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "tests/support/directory.hpp"
#include "tests/support/line_client.hpp"
#include "tools/rohrpost-sim/provider.hpp"

using support::LineClient;

namespace {

const std::string box = "box0001@sim.test";

struct Rig {
    explicit Rig(const std::string& style = "exchange") : provider(options(style)) { provider.start(); }

    sim::Options options(const std::string& style) {
        sim::Options made;
        made.directory = directory.path();
        made.population.messages = 3;
        made.style = style;
        return made;
    }
    LineClient connect() { return {provider.ports().pop3, provider.ca_file()}; }
    /// Behind the greeting.
    static void greet(LineClient& client) { CHECK(client.line().starts_with("+OK")); }
    std::string token() {
        return provider.ask([](sim::World& world) { return world.tokens.issue(box); });
    }
    std::size_t left() {
        return provider.ask([](sim::World& world) { return world.folder(box, "INBOX")->entries.size(); });
    }
    static std::string said(LineClient& client, std::string_view command) {
        client.say(command);
        return client.line();
    }
    static std::vector<std::string> lines(LineClient& client, std::string_view command) {
        std::vector<std::string> all{said(client, command)};
        while (all.back() != ".") all.push_back(client.line());
        return all;
    }
    /// Logged in with the password.
    static void open(LineClient& client) {
        CHECK(said(client, "USER " + box) == "+OK");
        CHECK(said(client, "PASS sim-password").starts_with("+OK"));
    }

    support::TemporaryDirectory directory;
    sim::Provider provider;
};

}  // namespace

TEST_CASE("sim pop3: a token goes on a line of its own, with Exchange's manners", "[sim][pop3]") {
    Rig rig;
    LineClient client = rig.connect();
    Rig::greet(client);
    CHECK(Rig::said(client, "AUTH XOAUTH2") == "+ ");
    CHECK(Rig::said(client, support::xoauth2_of(box, rig.token())).starts_with("+OK"));
    CHECK(Rig::said(client, "STAT").starts_with("+OK 3 "));

    LineClient hasty = rig.connect();
    Rig::greet(hasty);
    const std::string long_token(400, 'x');
    CHECK(Rig::said(hasty, "AUTH XOAUTH2 " + support::xoauth2_of(box, long_token)) ==
          "-ERR Protocol error. Connection is closed. 10");
    LineClient wrong = rig.connect();
    Rig::greet(wrong);
    CHECK(Rig::said(wrong, "AUTH XOAUTH2") == "+ ");
    CHECK(Rig::said(wrong, support::xoauth2_of(box, "nonsense")).starts_with("-ERR Authentication failure"));
}

TEST_CASE("sim pop3: messages come byte for byte, and go with QUIT alone", "[sim][pop3]") {
    Rig rig;
    {
        LineClient client = rig.connect();
        Rig::greet(client);
        Rig::open(client);
        const auto names = Rig::lines(client, "UIDL");
        REQUIRE(names.size() == 5);
        CHECK(names[1].starts_with("1 "));
        std::string body;
        const auto lines = Rig::lines(client, "RETR 2");
        for (std::size_t i = 1; i + 1 < lines.size(); ++i)
            body += (lines[i].starts_with('.') ? lines[i].substr(1) : lines[i]) + "\r\n";
        CHECK(body == sim::message_of(box, 2, 4096));
        CHECK(Rig::lines(client, "TOP 2 0").back() == ".");
        CHECK(Rig::said(client, "DELE 1") == "+OK");
        CHECK(Rig::said(client, "RETR 1").starts_with("-ERR"));
        CHECK(Rig::said(client, "RETR 9").starts_with("-ERR"));
    }
    CHECK(rig.left() == 3);  // hung up without QUIT
    LineClient client = rig.connect();
    Rig::greet(client);
    Rig::open(client);
    CHECK(Rig::said(client, "DELE 1") == "+OK");
    CHECK(Rig::said(client, "QUIT").starts_with("+OK"));
    CHECK(rig.left() == 2);
}

TEST_CASE("sim pop3: import.json can ask for it", "[sim][pop3]") {
    support::TemporaryDirectory directory;
    sim::Options options;
    options.directory = directory.path();
    options.protocol = "pop3";
    options.after = "delete";
    const sim::Provider provider(std::move(options));
    const auto document = provider.import_document_with(provider.ports().pop3);
    CHECK(document.find(R"("protocol":"pop3")") != std::string::npos);
    CHECK(document.find(R"("after":"delete")") != std::string::npos);
    CHECK(document.find(fmt::format(R"("port":{})", provider.ports().pop3)) != std::string::npos);
    CHECK(document.find("folders") == std::string::npos);
}
