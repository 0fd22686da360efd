#include "engine/consumers/command.hpp"

#include <catch2/catch.hpp>
#include <csignal>

#include "tests/unit/consumers/calling.hpp"

using namespace consumers;
using namespace consumers_test;
using namespace std::chrono_literals;
using Fault = Delivered::Fault;

namespace {

/// Mails for a program, with the machine's time.
struct Desk {
    asio::io_context context{1};
    SystemClock clock;
    Timers timers{clock};
    TimersDriver driver{context, timers};
    Office office;
    Folder folder;

    Desk() { std::signal(SIGPIPE, SIG_IGN); }  // as the daemon does
    /// The program is a script of the shell; `$1` is a folder for what it leaves.
    Delivered run(const std::string& script, std::chrono::milliseconds timeout = 60s) {
        Command::Options options;
        options.program = {"/bin/sh", "-c", script, "sh", folder / ""};
        options.timeout = timeout;
        Command command(options, context.get_executor(), timers);
        std::optional<Delivered> delivered;
        asio::co_spawn(context, command.deliver(office.mails), [&](std::exception_ptr failed, Delivered done) {
            if (!failed) delivered = std::move(done);
        });
        context.restart();
        while (!delivered) context.run_one();
        context.poll();
        return *delivered;
    }
};

}  // namespace

TEST_CASE("command: a program gets the mail as it came, and its ids in the environment", "[consumers][command]") {
    Desk desk;
    const std::string body = "Subject: 1\n\nbytes \x80 as they are, with $SHELL and `marks`";
    desk.office.put("a", "a@example.com", body);
    desk.office.put("b", "b@example.com", std::string(1'000'000, 'x')).possible_repeat = true;
    const auto delivered = desk.run("cat > \"$1/$ROHRPOST_MAILBOX\"; env | grep ^ROHRPOST | sort > \"$1/env\"");
    CHECK(delivered.reason == "");
    CHECK(delivered.count == 2);
    CHECK(bytes_of(desk.folder / "a") == body);
    CHECK(bytes_of(desk.folder / "b") == std::string(1'000'000, 'x'));
    CHECK(bytes_of(desk.folder / "env") ==
          "ROHRPOST_ADDRESS=b@example.com\nROHRPOST_BYTES=1000000\nROHRPOST_FOLDER=INBOX\nROHRPOST_ID=" +
              Office::id(2) + "\nROHRPOST_MAILBOX=b\nROHRPOST_POSSIBLE_REPEAT=yes\nROHRPOST_SEQ=2\n");
    CHECK(desk.office.bodies.largest_read <= BodyReader::piece_bytes);
}

TEST_CASE("command: it inherits nothing else of ours", "[consumers][command][hostile-50]") {
    Desk desk;
    desk.office.put("a", "a@example.com", "x");
    ::setenv("CANARY", "secret", 1);
    CHECK(desk.run("env > \"$1/env\"; ls /proc/self/fd > \"$1/open\"").count == 1);
    ::unsetenv("CANARY");
    CHECK(bytes_of(desk.folder / "env").find("CANARY") == std::string::npos);
    CHECK(bytes_of(desk.folder / "open") == "0\n1\n2\n3\n");  // 3 is the directory that ls reads
}

TEST_CASE("command: the exit code decides about the mail", "[consumers][command]") {
    struct Case {
        int code;
        Fault fault;
    };
    const Case cases[] = {{65, Fault::refused},  {67, Fault::refused},   {68, Fault::refused},  {75, Fault::mail},
                          {1, Fault::mail},      {70, Fault::mail},      {69, Fault::consumer}, {78, Fault::consumer},
                          {64, Fault::consumer}, {127, Fault::consumer}, {255, Fault::mail}};
    for (const auto& one : cases) {
        CAPTURE(one.code);
        Desk desk;
        desk.office.put("a", "a@example.com", "x");
        const auto delivered = desk.run("echo out; echo no such place >&2; exit " + std::to_string(one.code));
        CHECK(delivered.count == 0);
        CHECK(delivered.fault == one.fault);
        CHECK_THAT(delivered.reason, Catch::StartsWith("/bin/sh: exit code " + std::to_string(one.code)) &&
                                         Catch::Contains("no such place"));
    }
}

TEST_CASE("command: a program that does not end is killed with all that it started", "[consumers][command]") {
    Desk desk;
    desk.office.put("a", "a@example.com", "x");
    const auto delivered = desk.run("sleep 1000 & echo $! > \"$1/pid\"; trap '' TERM; sleep 1000", 300ms);
    CHECK(delivered.fault == Fault::mail);
    CHECK(delivered.attempted == 1);
    CHECK_THAT(delivered.reason, Catch::Contains("was killed after"));
    const auto pid = std::stoi(bytes_of(desk.folder / "pid"));
    const auto alive = [pid] {
        return bytes_of("/proc/" + std::to_string(pid) + "/stat").find(") S ") != std::string::npos;
    };
    for (int i = 0; i < 1000 && alive(); ++i) ::usleep(1000);
    CHECK_FALSE(alive());
}

TEST_CASE("command: who reads nothing, says without end, or leaves somebody behind hinders nothing",
          "[consumers][command]") {
    Desk desk;
    desk.office.put("a", "a@example.com", std::string(2'000'000, 'x'));
    CHECK(desk.run("exit 0").count == 1);
    CHECK(desk.run("head -c 10000000 /dev/zero").count == 1);
    CHECK(desk.run("setsid sleep 3 & exit 0").count == 1);
    const auto delivered = desk.run("head -c 100000 /dev/zero | tr '\\0' y; kill -9 $$");
    CHECK(delivered.fault == Fault::mail);
    CHECK_THAT(delivered.reason, Catch::Contains("ended by signal 9"));
    CHECK(delivered.reason.size() < 2000);
}

TEST_CASE("command: a program that is not there takes nothing", "[consumers][command]") {
    Office office;
    office.put("a", "a@example.com", "x");
    asio::io_context context(1);
    Command command({.program = {"/nonexistent/program"}}, context.get_executor(), office.timers);
    const auto delivered = office.deliver(command);
    CHECK(delivered.fault == Fault::consumer);
    CHECK(delivered.attempted == 0);
    CHECK_THAT(delivered.reason, Catch::Contains("/nonexistent/program: cannot be run: "));
}

TEST_CASE("command: a damaged mail is not taken for a whole one", "[consumers][command][hostile-58]") {
    Desk desk;
    auto& mail = desk.office.put("a", "a@example.com", std::string(600'000, 'x'));
    desk.office.bodies.damage(mail.record.body.segment);
    CHECK(desk.run("cat > /dev/null; exit 0").fault == Fault::message);
}
