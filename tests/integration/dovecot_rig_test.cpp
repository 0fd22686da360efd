// The rig that other integration tests stand on: Dovecot, vouched for by the pretend provider's token endpoint.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/support/dovecot.hpp"
#include "tests/support/line_client.hpp"
#include "tools/rohrpost-sim/provider.hpp"

using support::Dovecot;
using support::LineClient;

namespace {

const std::string box = "box0001@sim.test";

sim::Options options_in(const support::TemporaryDirectory& directory) {
    sim::Options options;
    options.directory = directory.path();
    return options;
}

/// A pretend provider that only vouches for tokens, and a Dovecot that believes it.
struct Rig {
    explicit Rig(Dovecot::Storage storage = Dovecot::Storage::maildir) : provider(options_in(directory)) {
        provider.start();
        Dovecot::Wish wish;
        wish.introspection_port = provider.ports().http;
        wish.authority = &provider.authority();
        wish.storage = storage;
        dovecot = std::make_unique<Dovecot>(std::move(wish));
    }

    std::string token() {
        return provider.ask([](sim::World& world) { return world.tokens.issue(box); });
    }
    std::string log_in(LineClient& client, const std::string& token) {
        client.line();
        return client.ask("AUTHENTICATE XOAUTH2 " + support::xoauth2_of(box, token)).back();
    }

    support::TemporaryDirectory directory;
    sim::Provider provider;
    std::unique_ptr<Dovecot> dovecot;
};

std::vector<std::string> messages(std::uint32_t count, std::size_t size = 4096) {
    std::vector<std::string> all;
    for (std::uint32_t number = 1; number <= count; ++number) all.push_back(sim::message_of(box, number, size));
    return all;
}

bool holds(const std::vector<std::string>& lines, std::string_view part) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("dovecot rig: a token of the provider opens the mailbox, byte for byte", "[dovecot]") {
    const auto storage = GENERATE(Dovecot::Storage::maildir, Dovecot::Storage::sdbox, Dovecot::Storage::mdbox);
    Rig rig(storage);
    rig.dovecot->put(box, messages(3));
    LineClient client(rig.dovecot->port(), rig.provider.ca_file());
    CHECK(rig.log_in(client, rig.token()).find(" OK ") != std::string::npos);
    CHECK(holds(client.ask("SELECT INBOX"), "* 3 EXISTS"));
    const auto fetched = client.ask("UID FETCH 2 (BODY.PEEK[])");
    CHECK(holds(fetched, sim::message_of(box, 2, 4096)));
}

TEST_CASE("dovecot rig: a wrong or expired token is refused", "[dovecot]") {
    Rig rig;
    LineClient client(rig.dovecot->port(), rig.provider.ca_file());
    const std::string expired = rig.token();
    rig.provider.ask([](sim::World& world) {
        world.expire_tokens("", "gone");
        return 0;
    });
    client.line();
    for (const std::string& token : {std::string("nonsense"), expired}) {
        client.say("a AUTHENTICATE XOAUTH2 " + support::xoauth2_of(box, token));
        const std::string challenge = client.line();
        CHECK(challenge.starts_with("+ "));
        client.say("");
        CHECK(client.line().starts_with("a NO "));
    }
}

TEST_CASE("dovecot rig: a password works beside tokens", "[dovecot]") {
    Rig rig;
    LineClient client(rig.dovecot->port(), rig.provider.ca_file());
    client.line();
    CHECK(client.ask("LOGIN other@sim.test wrong").back().find(" NO ") != std::string::npos);
    CHECK(client.ask(fmt::format("LOGIN other@sim.test {}", Dovecot::password)).back().find(" OK ") !=
          std::string::npos);
}

TEST_CASE("dovecot rig: messages go and UIDVALIDITY changes on demand", "[dovecot]") {
    const auto storage = GENERATE(Dovecot::Storage::maildir, Dovecot::Storage::sdbox);
    Rig rig(storage);
    rig.dovecot->put(box, messages(4));
    rig.dovecot->remove(box, "2:3");
    rig.dovecot->set_uid_validity(box, 4711);
    LineClient client(rig.dovecot->port(), rig.provider.ca_file());
    rig.log_in(client, rig.token());
    const auto selected = client.ask("SELECT INBOX");
    CHECK(holds(selected, "[UIDVALIDITY 4711]"));
    CHECK(holds(selected, "* 2 EXISTS"));
    CHECK(holds(client.ask("UID SEARCH ALL"), "* SEARCH 1 4"));
}

TEST_CASE("dovecot rig: sessions and server die when told, and come back on the same port", "[dovecot]") {
    Rig rig;
    rig.dovecot->put(box, messages(1));
    LineClient first(rig.dovecot->port(), rig.provider.ca_file());
    rig.log_in(first, rig.token());
    first.ask("SELECT INBOX");
    CHECK(rig.dovecot->kill_sessions() == 1);
    CHECK_THROWS_AS(first.ask("NOOP"), boost::system::system_error);

    const std::uint16_t port = rig.dovecot->port();
    rig.dovecot->kill();
    CHECK_FALSE(support::listened_on(port));
    rig.dovecot->restart();
    CHECK(rig.dovecot->port() == port);
    LineClient second(port, rig.provider.ca_file());
    rig.log_in(second, rig.token());
    CHECK(holds(second.ask("SELECT INBOX"), "* 1 EXISTS"));
}

TEST_CASE("dovecot rig: IDLE tells of messages that are put while it lasts", "[dovecot]") {
    Rig rig;
    LineClient client(rig.dovecot->port(), rig.provider.ca_file());
    rig.log_in(client, rig.token());
    client.ask("SELECT INBOX");
    client.say("i IDLE");
    CHECK(client.line().starts_with("+ "));
    rig.dovecot->put(box, messages(1));
    std::string told = client.line();
    while (told.starts_with("* OK Still here")) told = client.line();
    CHECK(told == "* 1 EXISTS");
}

TEST_CASE("dovecot rig: 20,000 messages are there in seconds", "[dovecot]") {
    Rig rig;
    rig.dovecot->put(box, messages(20'000));
    LineClient client(rig.dovecot->port(), rig.provider.ca_file());
    rig.log_in(client, rig.token());
    CHECK(holds(client.ask("SELECT INBOX"), "* 20000 EXISTS"));
}
