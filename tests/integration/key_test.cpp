// The key of the store as operators handle it: rotated, given by a variable, mixed up.

#include <catch2/catch.hpp>
#include <cstdlib>

#include "queue/store/open.hpp"
#include "tests/support/daemon.hpp"

using support::contents_of;
using support::Daemon;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Nobody listens at its provider: whether the secrets open shows in what it complains about.
constexpr std::string_view document = R"({
  "providers": [{"id": "here", "token_url": "https://localhost:1/token", "scopes": ["mail"],
                 "imap": {"host": "localhost", "port": 1, "tls": "implicit"}}],
  "credentials": [{"id": "desk", "provider": "here", "user": "desk@sim.test", "flow": "refresh_token",
                   "client_id": "c", "refresh_token": {"value": "canary"}}],
  "mailboxes": [{"id": "desk", "address": "desk@sim.test", "credential": "desk", "consumer": "api"}],
  "consumers": [{"id": "api", "kind": "pull"}]})";

void check_that_secrets_open(Daemon& daemon) {
    daemon.start();
    CHECK(support::eventually([&] { return holds(daemon.state_of("desk"), "asking localhost:1 for a token"); }));
    CHECK_FALSE(holds(daemon.log(), "cannot read the secrets"));
    CHECK(daemon.stop() == 0);
}

}  // namespace

TEST_CASE("key: rotated while no daemon runs, and the daemon goes on with the new one", "[daemon]") {
    Daemon daemon;
    daemon.import(std::string(document));
    const auto key = daemon.data() / "key";
    const std::string before = contents_of(key);
    daemon.start();
    const auto too_early = daemon.ask({"key", "rotate"});
    CHECK(too_early.exit_code == 75);
    CHECK(daemon.stop() == 0);

    const auto rotated = daemon.ask({"key", "rotate"});
    CAPTURE(rotated.errors);
    CHECK(rotated.exit_code == 0);
    CHECK(holds(rotated.output, "1 secrets and"));
    CHECK(contents_of(key) != before);
    CHECK(contents_of(daemon.data() / "key.old") == before);
    check_that_secrets_open(daemon);

    std::filesystem::copy_file(daemon.data() / "key.old", key, std::filesystem::copy_options::overwrite_existing);
    const auto mixed_up = daemon.ask({"run", "--console", "127.0.0.1:0"});
    CHECK(mixed_up.exit_code == 78);
    CHECK(holds(mixed_up.errors, "not the key that the store was sealed with"));
}

TEST_CASE("key: moved out of the data folder, named by a flag, and asked for where it is missing", "[daemon]") {
    Daemon daemon;
    daemon.import(std::string(document));
    const auto elsewhere = daemon.file("new-key").string();
    CHECK(daemon.ask({"key", "rotate", "--to", elsewhere}).exit_code == 0);
    const auto missing = daemon.ask({"run", "--console", "127.0.0.1:0"});
    CHECK(missing.exit_code == 78);
    daemon.start({"--key-file", elsewhere});
    CHECK(support::eventually([&] { return holds(daemon.state_of("desk"), "asking localhost:1 for a token"); }));
    CHECK(daemon.stop() == 0);
    const auto twice = daemon.ask({"key", "rotate", "--key-file", elsewhere, "--to", elsewhere});
    CHECK(twice.exit_code == 73);
    CHECK(daemon.ask({"key", "rotate", "--key-file", elsewhere}).exit_code == 0);
}

TEST_CASE("key: a rotation that comes to nothing leaves no new key, and changes nothing", "[daemon]") {
    Daemon daemon;
    daemon.import(std::string(document));
    const auto key = contents_of(daemon.data() / "key");
    const auto put = [&daemon](std::string_view name, const std::string& sealed) {
        store::SystemDisk disk;
        const auto opened = store::open_store(disk, daemon.data(), {});
        REQUIRE(opened.has_value());
        REQUIRE(opened->store->begin().has_value());
        REQUIRE(opened->store->put_secret("desk", name, sealed).has_value());
        REQUIRE(opened->store->commit().has_value());
    };
    put("client_secret", "spoilt");
    const auto elsewhere = daemon.file("new-key");
    for (const auto& words :
         {std::vector<std::string>{"key", "rotate", "--to", elsewhere.string()}, {"key", "rotate"}}) {
        const auto failed = daemon.ask(words);
        CAPTURE(failed.errors);
        CHECK(failed.exit_code == 65);
        CHECK(holds(failed.errors, "desk: client_secret: "));
        CHECK(holds(failed.errors, "nothing was changed"));
        CHECK_FALSE(std::filesystem::exists(elsewhere));
        CHECK_FALSE(std::filesystem::exists(daemon.data() / "key.next"));
        CHECK_FALSE(std::filesystem::exists(daemon.data() / "key.old"));
        CHECK(contents_of(daemon.data() / "key") == key);
    }
}
