// Accounts: tokens that are refused or end, servers that cannot be trusted or found. Each mailbox says why it is not
// served, and no other suffers.

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "protocols/wait/asio.hpp"
#include "tests/support/mail_rig.hpp"

using support::Dovecot;
using support::eventually;
using support::MailRig;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

MailRig::Wish wish_for(MailRig::Server server, std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.server = server;
    wish.mailboxes = mailboxes;
    return wish;
}

/// A provider of the document under another id; credential and mailbox number `box` (from 0) belong to it.
json::object& provider_of_its_own(json::object& document, std::size_t box, const std::string& id) {
    json::value copy = document.at("providers").at(0);
    copy.at("id") = id;
    document.at("credentials").at(box).at("provider") = id;
    auto& providers = document.at("providers").as_array();
    providers.push_back(std::move(copy));
    return providers.back().as_object();
}

void use_password(json::value& credential) {
    auto& object = credential.as_object();
    object.erase("client_id");
    object.erase("refresh_token");
    object["flow"] = "password";
    object["password"] = json::object{{"value", Dovecot::password}};
}

/// Speaks IMAP in the clear at 127.0.0.1 and keeps what it hears. Ends with the test.
class ClearServer {
public:
    ClearServer()
        : door_(context_, asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
          thread_([this] { serve(); }) {}
    ~ClearServer() {
        asio::post(context_, [this] { context_.stop(); });
        thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const { return door_.local_endpoint().port(); }
    [[nodiscard]] int calls() const { return calls_; }
    [[nodiscard]] std::string heard() const {
        const std::lock_guard lock(mutex_);
        return heard_;
    }

private:
    void serve() {
        asio::co_spawn(context_, answer(), asio::detached);
        context_.run();
    }
    awaitable<void> answer() {
        const std::string greeting =
            "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=XOAUTH2 SASL-IR] hello\r\nR1 OK log in\r\n";
        for (;;) {
            auto socket = co_await door_.async_accept(asio::use_awaitable);
            ++calls_;
            boost::system::error_code failed;
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            co_await asio::async_write(socket, asio::buffer(greeting), token);
            std::array<char, 4096> piece{};
            while (!failed) {
                const auto bytes = co_await socket.async_read_some(asio::buffer(piece), token);
                const std::lock_guard lock(mutex_);
                heard_.append(piece.data(), bytes);
            }
        }
    }

    asio::io_context context_{1};
    asio::ip::tcp::acceptor door_;
    std::atomic<int> calls_{0};
    mutable std::mutex mutex_;
    std::string heard_;
    std::thread thread_;  // last
};

}  // namespace

TEST_CASE("accounts: a dead grant and a token that the server refuses stop their mailboxes alone",
          "[daemon][threads]") {
    MailRig rig(wish_for(MailRig::Server::dovecot, 3));
    for (std::uint32_t box = 1; box <= 3; ++box) rig.put(box, 4);
    rig.provider.ask([](sim::World& world) {
        world.tokens.revoke(MailRig::address(1));
        return 0;
    });
    auto document = rig.document();
    document.at("mailboxes").at(1).at("credential") = MailRig::id(3);  // whose token opens another mailbox
    rig.daemon.import(json::serialize(document));

    rig.daemon.start({"--exit-when-idle"});
    REQUIRE(rig.daemon.wait(60s) == 75);
    INFO(rig.daemon.log());
    CHECK(holds(rig.daemon.log(), "mailbox=box0001 state=\"needs help\""));
    CHECK(holds(rig.daemon.log(), "mailbox=box0002 state=\"needs help\""));
    for (std::uint32_t uid = 1; uid <= 4; ++uid) {
        rig.expect_not(1, uid);
        rig.expect_not(2, uid);
    }
    CHECK(rig.amiss() == "");

    rig.daemon.start();
    CHECK(eventually([&] { return holds(rig.daemon.state_of("box0001"), "needs help: "); }));
    CHECK(eventually([&] { return holds(rig.daemon.state_of("box0002"), "needs help: "); }));
    CHECK(holds(rig.daemon.state_of("box0001"), "AADSTS50173"));
    CHECK(holds(rig.daemon.state_of("box0002"), "refused"));
    CHECK(eventually([&] { return rig.daemon.state_of("box0003") == "idle"; }));
    const std::string list = rig.daemon.ask({"mailbox", "list"}).output;
    CHECK(holds(list, "AADSTS50173"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("accounts: a session whose token expires during IDLE comes back and misses nothing", "[daemon][hostile-38]") {
    auto wish = wish_for(MailRig::Server::sim, 1);
    MailRig rig(wish);
    rig.put(1, 2);
    rig.import();
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.all_arrived() && rig.daemon.state_of("box0001") == "idle"; }));
    for (int round = 0; round < 2; ++round) {
        rig.provider.ask([](sim::World& world) {
            world.expire_tokens("", "Session invalidated - AccessTokenExpired");
            return 0;
        });
        rig.put(1, 1);
        CHECK(eventually([&] { return rig.all_arrived(); }));
        CHECK(eventually([&] { return rig.daemon.state_of("box0001") == "idle"; }));
    }
    CHECK(rig.counters().sessions >= 3);
    CHECK(holds(rig.daemon.log(), "session ended with its token"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("accounts: tokens that live for seconds are renewed in time", "[daemon][threads]") {
    auto wish = wish_for(MailRig::Server::sim, 1);
    wish.rules.lives_for = 4s;
    MailRig rig(wish);
    rig.put(1, 1);
    rig.import();
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.counters().sessions >= 3; }));
    rig.put(1, 1);
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.counters().logins_refused == 0);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("accounts: whoever cannot be trusted or found is named with the reason", "[daemon][hostile-6][hostile-69]") {
    const sim::Authority unknown("Nobody knows this authority");
    MailRig rig(wish_for(MailRig::Server::dovecot, 5));
    rig.put(5, 2);
    Dovecot::Wish wishes[3];
    for (auto& wish : wishes) wish.authority = &rig.provider.authority();
    wishes[0].certificate.valid_from = -48h;
    wishes[0].certificate.valid_to = -1h;
    wishes[1].certificate.dns_names = {"mail.example"};
    wishes[1].certificate.addresses = {"127.0.0.9"};
    wishes[2].authority = &unknown;
    const Dovecot expired(wishes[0]), misnamed(wishes[1]), unvouched(wishes[2]);

    auto document = rig.document();
    std::size_t box = 0;
    for (const Dovecot* server : {&expired, &misnamed, &unvouched})
        provider_of_its_own(document, box++, fmt::format("provider{}", box)).at("imap").at("port") = server->port();
    // A label longer than DNS allows cannot be asked for at all: no name server is needed to refuse it.
    provider_of_its_own(document, 3, "nowhere").at("imap").at("host") = fmt::format("{:x>64}.example", "");
    for (auto& credential : document.at("credentials").as_array()) use_password(credential);
    rig.daemon.import(json::serialize(document));
    rig.daemon.start();
    const auto says = [&](std::uint32_t number, std::string_view words) {
        return eventually([&] { return holds(rig.daemon.state_of(MailRig::id(number)), words); });
    };
    CHECK(says(1, "has expired"));
    CHECK(says(2, "for another host name"));
    CHECK(says(3, "authority that is not trusted"));
    CHECK(says(4, "does not resolve"));
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle() == 75);
    CHECK(rig.amiss() == "");
}

TEST_CASE("accounts: nobody logs in without TLS, whatever the server offers in the clear",
          "[daemon][hostile-2][hostile-5]") {
    MailRig rig(wish_for(MailRig::Server::sim, 3));
    rig.put(3, 2);
    const ClearServer implicit, upgrading;
    auto document = rig.document();
    provider_of_its_own(document, 0, "implicit").at("imap").at("port") = implicit.port();
    auto& upgrade = provider_of_its_own(document, 1, "upgrading").at("imap").as_object();
    upgrade["port"] = upgrading.port();
    upgrade["tls"] = "starttls";
    rig.daemon.import(json::serialize(document));
    rig.daemon.start();
    const auto says = [&](std::uint32_t number, std::string_view words) {
        return eventually([&] { return holds(rig.daemon.state_of(MailRig::id(number)), words); });
    };
    CHECK(says(1, "TLS"));
    CHECK(implicit.calls() > 0);
    CHECK(says(2, "implicit TLS only"));
    CHECK(holds(rig.daemon.state_of("box0002"), "needs help"));
    CHECK(upgrading.calls() == 0);
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
    const auto heard = implicit.heard();
    CHECK(heard.find("AUTHENTICATE") == std::string::npos);
    CHECK(heard.find("LOGIN") == std::string::npos);
    CHECK(heard.find("box0001") == std::string::npos);
}
