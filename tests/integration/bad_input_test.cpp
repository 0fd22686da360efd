// What people write wrong: each ends in one clear line that names the place and the remedy, and in the exit code that
// sysexits.h has for it.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fstream>

#include "protocols/wait/asio.hpp"
#include "tests/support/daemon.hpp"

using support::Daemon;
using support::Ran;

namespace json = boost::json;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

json::object sound_document(const Daemon& daemon) {
    const auto text = R"({
      "providers": [{"id": "here", "token_url": "https://localhost:1/token", "scopes": ["mail"],
                     "imap": {"host": "localhost", "port": 1, "tls": "implicit"}}],
      "credentials": [{"id": "desk", "provider": "here", "user": "desk@sim.test", "flow": "refresh_token",
                       "client_id": "c", "refresh_token": {"value": "secret"}}],
      "mailboxes": [{"id": "desk", "address": "desk@sim.test", "credential": "desk", "consumer": "tickets"}],
      "consumers": [{"id": "tickets", "kind": "maildir"}]})";
    auto document = json::parse(text).as_object();
    document.at("consumers").at(0).as_object()["path"] = daemon.maildir().string();
    return document;
}

Ran import(const Daemon& daemon, const json::object& document) {
    return daemon.ask({"import", "-"}, json::serialize(document));
}

/// A daemon that refuses to run with these flags.
Ran run(const Daemon& daemon, std::vector<std::string> flags) {
    std::vector<std::string> words{"run"};
    words.insert(words.end(), flags.begin(), flags.end());
    return daemon.ask(std::move(words));
}

}  // namespace

TEST_CASE("bad input: an import document is refused whole, with the path of each fault", "[daemon]") {
    const Daemon daemon;
    struct Case {
        std::string what, path, words;
        std::function<void(json::object&)> spoil;
    };
    const std::vector<Case> cases{
        {"a wrong key", "mailboxes[0].adress", "did you mean \"address\"?",
         [](json::object& document) {
             auto& mailbox = document.at("mailboxes").at(0).as_object();
             json::value address = mailbox.at("address");  // a copy: a new key moves the others
             mailbox["adress"] = std::move(address);
             mailbox.erase("address");
         }},
        {"an unknown reference", "mailboxes[0].credential", "there is no credential \"dusk\"",
         [](json::object& document) { document.at("mailboxes").at(0).as_object()["credential"] = "dusk"; }},
        {"a secret of another flow's", "credentials[0].flow", "Microsoft has retired logins with a password",
         [](json::object& document) {
             document.at("providers").at(0) = json::object{{"id", "here"}, {"preset", "microsoft365"}};
             auto& credential = document.at("credentials").at(0).as_object();
             credential["flow"] = "password";
             credential["password"] = json::object{{"value", "p"}};
             credential.erase("client_id");
             credential.erase("refresh_token");
         }},
        {"a missing secret file", "credentials[0].refresh_token.file", "no-such-file",
         [](json::object& document) {
             document.at("credentials").at(0).as_object()["refresh_token"] = json::object{{"file", "no-such-file"}};
         }},
        {"a bare secret", "credentials[0].refresh_token", "found a bare text",
         [](json::object& document) { document.at("credentials").at(0).as_object()["refresh_token"] = "bare"; }},
    };
    for (const Case& one : cases) {
        CAPTURE(one.what);
        auto document = sound_document(daemon);
        one.spoil(document);
        const Ran ran = import(daemon, document);
        CAPTURE(ran.errors);
        CHECK(ran.exit_code == 65);
        CHECK(holds(ran.errors, one.path + ": "));
        CHECK(holds(ran.errors, one.words));
        CHECK(holds(ran.errors, "nothing was imported"));
        CHECK_FALSE(std::filesystem::exists(daemon.data() / "ledger.db"));
    }
    const Ran broken = daemon.ask({"import", "-"}, "{\"providers\": [\n  {\"id\": }]}");
    CHECK(broken.exit_code == 65);
    CHECK(holds(broken.errors, "line 2"));
    CHECK(daemon.ask({"import", daemon.file("missing.json").string()}).exit_code == 66);
    CHECK(import(daemon, sound_document(daemon)).exit_code == 0);
}

TEST_CASE("bad input: flags and the configuration file", "[daemon]") {
    const Daemon daemon;
    struct Case {
        std::vector<std::string> flags;
        int exit_code;
        std::string words;
    };
    std::ofstream(daemon.file("broken.toml")) << "threads = \n[[[\n";
    std::ofstream(daemon.file("unknown.toml")) << "thread = 2\n";
    std::ofstream(daemon.file("wrong.toml")) << "poll-interval = \"soon\"\n";
    const std::vector<Case> cases{
        {{"--treads", "2"}, 64, "--treads"},
        {{"--poll-interval", "soon"}, 64, "a duration from 1s to 24h"},
        {{"--console", "everywhere"}, 64, "an address and a port"},
        {{"--config", daemon.file("broken.toml").string()}, 78, "--config"},
        {{"--config", daemon.file("unknown.toml").string()}, 78, "thread"},
        {{"--config", daemon.file("missing.toml").string()}, 66, "missing.toml"},
        {{"--config", daemon.file("wrong.toml").string()}, 78, "a duration from 1s to 24h"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.flags);
        const Ran ran = run(daemon, one.flags);
        CAPTURE(ran.errors);
        CHECK(ran.exit_code == one.exit_code);
        CHECK(holds(ran.errors, one.words));
        CHECK(lines_in(ran.errors) == 1);
    }
    const Ran mistyped = daemon.ask({"imprt", "-"});
    CHECK(mistyped.exit_code == 64);
    CHECK(holds(mistyped.errors, "did you mean \"import\"?"));
}

TEST_CASE("bad input: a key file that others can read, a wrong one, a missing one", "[daemon]") {
    const Daemon daemon;
    REQUIRE(import(daemon, sound_document(daemon)).exit_code == 0);
    const auto key = daemon.data() / "key";
    const auto refused = [&](std::string_view words) {
        const Ran ran = run(daemon, {"--console", "127.0.0.1:0"});
        CAPTURE(ran.errors);
        CHECK((ran.exit_code == 77 || ran.exit_code == 78));
        CHECK(holds(ran.errors, words));
        CHECK(holds(ran.errors, key.string()));
        CHECK(lines_in(ran.errors) == 1);
    };
    std::filesystem::permissions(key, std::filesystem::perms(0644));
    refused("chmod 600");
    std::filesystem::permissions(key, std::filesystem::perms(0600));
    const std::string right = support::contents_of(key);
    std::ofstream(key, std::ios::binary) << std::string(32, 'x');
    refused("not the key that the store was sealed with");
    std::ofstream(key, std::ios::binary) << "short";
    refused("must be 32 bytes");
    std::filesystem::remove(key);
    refused("bring it back");
    CHECK_FALSE(std::filesystem::exists(key));
    std::ofstream(key, std::ios::binary) << right;
    std::filesystem::permissions(key, std::filesystem::perms(0600));
    CHECK(daemon.ask({"mailbox", "list"}).exit_code == 0);
}

TEST_CASE("bad input: a port that is taken", "[daemon]") {
    const Daemon daemon;
    asio::io_context context;
    const asio::ip::tcp::acceptor holder(context, {asio::ip::address_v4::loopback(), 0});
    const std::string address = fmt::format("127.0.0.1:{}", holder.local_endpoint().port());
    const Ran ran = run(daemon, {"--console", address});
    CAPTURE(ran.errors);
    CHECK(ran.exit_code == 69);
    CHECK(holds(ran.errors, "cannot listen on " + address));
    CHECK(holds(ran.errors, "--console"));
    CHECK(lines_in(ran.errors) == 2);  // and the API token, which the first start shows
}

TEST_CASE("bad input: commands where there is no store or no such thing", "[daemon]") {
    const Daemon daemon;
    const Ran nowhere = daemon.ask({"status"});
    CHECK(nowhere.exit_code == 66);
    CHECK(holds(nowhere.errors, "rohrpost import"));
    REQUIRE(import(daemon, sound_document(daemon)).exit_code == 0);
    const Ran nobody = daemon.ask({"mailbox", "show", "nobody"});
    CHECK(nobody.exit_code == 66);
    CHECK(holds(nobody.errors, "there is no mailbox \"nobody\""));
    CHECK(daemon.ask({"status", "--watch"}).exit_code == 69);
}
