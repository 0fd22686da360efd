// Mail on its way from a real IMAP server to the consumer, with the real daemon.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"
#include "tests/support/sanitized.hpp"

using support::eventually;
using support::MailRig;
using support::Ran;

namespace json = boost::json;

namespace {

MailRig::Wish wish_for(std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.mailboxes = mailboxes;
    return wish;
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Peak memory of a daemon that fetched one message of that size, in KiB.
std::uint64_t peak_with_message_of(std::size_t bytes) {
    MailRig rig(wish_for(1));
    rig.put(1, 1, bytes);
    rig.import();
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.all_arrived(); }));
    const std::uint64_t peak = rig.daemon.kernel_count("status", "VmHWM:");
    CHECK(rig.amiss() == "");
    CHECK(rig.daemon.stop() == 0);
    return peak;
}

}  // namespace

TEST_CASE("daemon: everything arrives once, byte for byte, and a second run finds nothing new", "[daemon][threads]") {
    MailRig rig(wish_for(2));
    rig.put(1, 20);
    rig.put(1, 2, 700'000);
    rig.put(2, 5, 512);
    rig.import();
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
    rig.put(2, 3);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
    CHECK(rig.daemon.mailbox("box0001").at("messages") == 22);
    CHECK(rig.daemon.mailbox("box0002").at("messages") == 8);
}

TEST_CASE("daemon: mail that comes during IDLE arrives within seconds", "[daemon]") {
    MailRig rig(wish_for(1));
    rig.put(1, 1);
    rig.import();
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0001") == "idle"; }));
    for (int round = 0; round < 3; ++round) {
        rig.put(1, 1);
        const auto put_at = std::chrono::steady_clock::now();
        REQUIRE(eventually([&] { return rig.all_arrived(); }));
        CHECK(std::chrono::steady_clock::now() - put_at < std::chrono::seconds(10));
    }
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: a mailbox of 5,000 messages is fetched whole", "[daemon]") {
    MailRig rig(wish_for(1));
    rig.put(1, 5000, 1024);
    rig.import();
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
    CHECK(rig.daemon.mailbox("box0001").at("folders").at(0).at("cursor") == 5000);
}

TEST_CASE("daemon: 20 mailboxes are fetched side by side", "[daemon][threads]") {
    MailRig rig(wish_for(20));
    for (std::uint32_t box = 1; box <= 20; ++box) rig.put(box, 50);
    rig.import();
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("daemon: a message of 100 MB arrives byte for byte in little memory", "[daemon][hostile-29][hostile-68]") {
    const std::uint64_t small = peak_with_message_of(4096);
    const std::uint64_t large = peak_with_message_of(100'000'000);
    CAPTURE(small, large);
    if (!support::sanitized) CHECK(large < small + 8 * 1024);
}

TEST_CASE("daemon: a password opens a mailbox, too", "[daemon]") {
    MailRig rig(wish_for(1));
    rig.put(1, 3);
    auto document = rig.document();
    auto& provider = document.at("providers").at(0).as_object();
    provider.erase("token_url");
    provider.erase("scopes");
    auto& credential = document.at("credentials").at(0).as_object();
    credential.erase("client_id");
    credential.erase("refresh_token");
    credential["flow"] = "password";
    credential["password"] = json::object{{"value", support::Dovecot::password}};
    rig.daemon.import(json::serialize(document));
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("inbox: a pull consumer sees its mail in order until it is acknowledged", "[daemon][threads]") {
    auto wish = wish_for(1);
    wish.consumer = "pull";
    MailRig rig(wish);
    rig.put(1, 3);
    rig.import();
    CHECK(rig.daemon.run_until_idle() == 0);
    const bool beside_daemon = GENERATE(false, true);
    CAPTURE(beside_daemon);
    if (beside_daemon) rig.daemon.start();

    const auto listed = [&] { return rig.daemon.ask({"inbox", "list", "--json"}).output; };
    CHECK(lines_in(listed()) == 3);
    for (std::uint32_t number = 1; number <= 3; ++number) {
        const Ran shown = rig.daemon.ask({"inbox", "next"});
        CHECK(shown.exit_code == 0);
        CHECK(shown.output == sim::message_of(MailRig::address(1), number, 4096));
        const auto facts = json::parse(rig.daemon.ask({"inbox", "next", "--json"}).output).as_object();
        CHECK(facts.at("mailbox") == "box0001");
        CHECK(facts.at("bytes") == 4096);
        const std::string id(facts.at("id").as_string());
        CHECK(rig.daemon.ask({"inbox", "show", id}).output == shown.output);
        const auto viewed = json::parse(rig.daemon.ask({"inbox", "show", id, "--json"}).output).as_object();
        CHECK(viewed.at("id") == facts.at("id"));
        CHECK(viewed.at("view").at("readable").as_bool());
        CHECK_THAT(std::string(viewed.at("view").at("subject").as_string()), Catch::Contains("Request"));
        const Ran body = rig.daemon.ask({"inbox", "show", id, "--part", "0"});
        CHECK(shown.output.ends_with(body.output));
        const auto file = rig.daemon.file(fmt::format("part {} {}", number, beside_daemon));
        const std::vector<std::string> saving{"inbox", "show", id, "--part", "0", "--output", file.string()};
        CHECK(rig.daemon.ask(saving).exit_code == 0);
        CHECK(support::contents_of(file) == body.output);
        CHECK(rig.daemon.ask(saving).exit_code == 73);  // what is there is not overwritten
        CHECK(rig.daemon.ask({"inbox", "show", id, "--part", "9"}).exit_code == 66);
        CHECK(rig.daemon.ask({"inbox", "show", id, "--json", "--part", "0"}).exit_code == 64);
        CHECK(rig.daemon.ask({"inbox", "ack", id}).exit_code == 0);
        CHECK(rig.daemon.ask({"inbox", "ack", id}).exit_code == 0);  // twice does no harm
        CHECK(lines_in(listed()) == 3 - number);
    }
    CHECK(rig.daemon.ask({"inbox", "next"}).exit_code == 66);
    CHECK(rig.daemon.ask({"inbox", "ack", "nonsense"}).exit_code != 0);
}
