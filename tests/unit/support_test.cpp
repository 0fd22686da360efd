#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/directory.hpp"
#include "tests/support/process.hpp"

using support::Process;
using namespace std::chrono_literals;

namespace {

Process::Start shell(const std::string& script) { return {.command = {"sh", "-c", script}}; }

}  // namespace

TEST_CASE("process: its output comes line by line, its errors as a whole", "[support]") {
    Process process(shell("echo one; echo two; echo wrong >&2"));
    CHECK(process.read_line(5s) == "one");
    CHECK(process.read_line(5s) == "two");
    CHECK(process.read_line(5s) == std::nullopt);
    CHECK(process.wait(5s) == 0);
    CHECK(process.errors() == "wrong\n");
}

TEST_CASE("process: the exit code and the ending signal are told", "[support]") {
    Process failing(shell("exit 7"));
    CHECK(failing.wait(5s) == 7);
    Process waiting(shell("echo ready; exec sleep 60"));
    REQUIRE(waiting.read_line(5s) == "ready");
    CHECK(waiting.wait(0ms) == std::nullopt);
    waiting.signal(SIGTERM);
    CHECK(waiting.wait(5s) == 128 + SIGTERM);
}

TEST_CASE("process: input, environment and directory are handed down", "[support]") {
    const support::TemporaryDirectory directory;
    Process::Start start = shell("read line; echo $line $GREETING; pwd");
    start.input = "hello\n";
    start.environment["GREETING"] = "there";
    start.directory = directory.path();
    const support::Ran ran = support::run_to_end(std::move(start));
    CHECK(ran.exit_code == 0);
    CHECK(ran.output == "hello there\n" + directory.path().string() + "\n");
}

TEST_CASE("process: whoever it started ends with it", "[support]") {
    int grandchild = -1;
    {
        Process process(shell("sleep 60 & echo $!; wait"));
        const auto line = process.read_line(5s);
        REQUIRE(line);
        grandchild = static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(*line), 0));
        REQUIRE(grandchild >= 0);
    }
    pollfd ended{grandchild, POLLIN, 0};
    CHECK(::poll(&ended, 1, 5000) == 1);
    ::close(grandchild);
}

TEST_CASE("process: a missing program ends with 127", "[support]") {
    CHECK(support::run_to_end({.command = {"rohrpost-no-such-program"}}).exit_code == 127);
}

TEST_CASE("temporary directory: goes with all it holds", "[support]") {
    std::filesystem::path path;
    {
        const support::TemporaryDirectory directory;
        path = directory.path();
        std::filesystem::create_directories(directory / "a/b");
    }
    CHECK_FALSE(std::filesystem::exists(path));
}
