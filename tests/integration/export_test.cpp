// What an export with secrets is good for: a house of its own that goes on where the first one was.

#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <boost/json.hpp>
#include <fstream>

#include "tests/support/mail_rig.hpp"
#include "tests/support/places.hpp"

using support::contents_of;
using support::Daemon;
using support::eventually;
using support::MailRig;

namespace json = boost::json;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("export: with secrets, a second house goes on with the grants of the first", "[daemon][hostile-50]") {
    MailRig::Wish wish;
    wish.rules.refresh_once = true;  // the imported refresh token is worth nothing once it was used
    MailRig rig(wish);
    rig.put(1, 3);
    rig.import();
    const std::string imported =
        rig.provider.ask([](sim::World& world) { return world.tokens.first_refresh_token(MailRig::address(1)); });
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.all_arrived(); }));

    // While the daemon runs, into a pipe.
    const auto online = rig.daemon.ask({"export", "--with-secrets"});
    CHECK(online.exit_code == 0);
    CHECK(holds(online.errors, "this export has all secrets in it"));
    const auto credential = json::parse(online.output).at("credentials").at(0);
    const std::string current(credential.at("refresh_token").at("value").as_string());
    CHECK(current != imported);
    CHECK_FALSE(holds(rig.daemon.ask({"export"}).output, current));
    CHECK(rig.daemon.stop() == 0);
    CHECK_FALSE(holds(rig.daemon.log(), current));

    // Without a daemon, into a file that was somebody else's to read.
    const auto file = rig.daemon.file("moving.json");
    std::ofstream(file) << "somebody else's\n";
    Daemon second;
    {
        const auto ran = rig.daemon.ask({"export", "--with-secrets", "--output", file.string()});
        CAPTURE(ran.errors);
        CHECK(ran.exit_code == 0);
        CHECK(ran.output.empty());
    }
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    const std::string moving = contents_of(file);
    CHECK(holds(moving, R"("refresh_token":{"value":")"));

    // The first house is given up; what the second one exports is what it was given.
    const auto taken = second.ask({"import", file.string()});
    CAPTURE(taken.errors);
    REQUIRE(taken.exit_code == 0);
    CHECK(second.ask({"export", "--with-secrets"}).output == moving);
    CHECK(second.ask({"export"}).output == rig.daemon.ask({"export"}).output);
    second.start();
    CHECK(eventually([&] { return second.state_of("box0001") == "idle"; }));
    CHECK(second.stop() == 0);
}

TEST_CASE("export: secrets go to no terminal, and a file that cannot be written is told", "[daemon][hostile-50]") {
    Daemon daemon;
    daemon.import(R"({"providers": [{"id": "here", "imap": {"host": "localhost"}}],
        "credentials": [{"id": "desk", "provider": "here", "user": "desk@sim.test", "flow": "password",
                         "password": {"value": "canary"}}]})");
    // script(1) gives its child a terminal of its own.
    const std::string command =
        support::binary_directory() + "/bin/rohrpost export --with-secrets --data " + daemon.data().string();
    support::Process::Start start;
    start.command = {"script", "--quiet", "--return", "--command", command, "/dev/null"};
    const auto shown = support::run_to_end(std::move(start));
    CHECK(shown.exit_code == 64);
    CHECK(holds(shown.output, "secrets are not shown on a terminal"));
    CHECK_FALSE(holds(shown.output, "canary"));

    const auto nowhere = daemon.file("missing") / "file.json";
    const auto refused = daemon.ask({"export", "--with-secrets", "--output", nowhere.string()});
    CHECK(refused.exit_code == 73);
    CHECK(holds(refused.errors, nowhere.string()));
    CHECK(daemon.ask({"export", "--with-secrets", "--key-file", nowhere.string()}).exit_code == 66);
    CHECK(holds(daemon.ask({"export", "--with-secrets"}).output, R"("password":{"value":"canary"})"));
}
