// The system gives little: descriptors, memory, threads. What does not fit is not begun, and says so.

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/mail_rig.hpp"
#include "tests/support/sanitized.hpp"

using support::eventually;
using support::MailRig;

namespace {

MailRig::Wish sim_with(std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.mailboxes = mailboxes;
    return wish;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t mailboxes_that_say(const MailRig& rig, std::uint32_t mailboxes, std::string_view words) {
    std::size_t count = 0;
    for (std::uint32_t box = 1; box <= mailboxes; ++box) count += holds(rig.daemon.state_of(MailRig::id(box)), words);
    return count;
}

}  // namespace

TEST_CASE("limits: with few descriptors mailboxes are visited in turn, and say why", "[daemon][hostile-68]") {
    constexpr std::uint32_t mailboxes = 12;
    MailRig rig(sim_with(mailboxes));
    for (std::uint32_t box = 1; box <= mailboxes; ++box) rig.put(box, 3);
    rig.import();
    rig.daemon.limit("--nofile=773:773");  // 768 are kept for everything but sessions
    rig.daemon.start();
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(eventually([&] { return mailboxes_that_say(rig, mailboxes, "idle") == 5; }));
    CHECK(mailboxes_that_say(rig, mailboxes, "others wait for its place") == mailboxes - 5);
    CHECK(rig.counters().sessions_most <= 5);
    CHECK(rig.amiss() == "");
    CHECK(holds(rig.daemon.log(), "id=descriptors"));
    CHECK_FALSE(holds(rig.daemon.log(), "Too many open files"));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("limits: many large messages at once pass through a small memory", "[daemon][hostile-68]") {
    constexpr std::uint32_t mailboxes = 8;
    constexpr std::uint64_t allowed_kib = 160 * 1024;
    if (support::skipped_when_sanitized()) return;
    MailRig rig(sim_with(mailboxes));
    for (std::uint32_t box = 1; box <= mailboxes; ++box) rig.put(box, 3, 12'000'000);
    rig.import();
    rig.daemon.limit(fmt::format("--data={}", allowed_kib * 1024));  // more is refused by the kernel
    rig.daemon.start({"--memory-budget", "8MiB"});
    CHECK(eventually([&] { return rig.all_arrived(); }));
    CHECK(rig.daemon.kernel_count("status", "VmHWM:") < allowed_kib);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.amiss() == "");
}

TEST_CASE("limits: when the system has no threads for it, the daemon says so and ends", "[daemon][hostile-68]") {
    if (support::skipped_when_sanitized()) return;
    MailRig rig(sim_with(1));
    rig.import();
    rig.daemon.limit("--as=1500000000");
    rig.daemon.limit("--stack=67108864:67108864");  // which the C library gives to each thread
    rig.daemon.launch({"--threads", "64"});
    const auto code = rig.daemon.wait(std::chrono::seconds(30));
    REQUIRE(code.has_value());
    CHECK(*code == 71);
    CHECK(holds(rig.daemon.log(), "thread"));
}

TEST_CASE("limits: no core file can be written, so none holds a secret", "[daemon][hostile-50]") {
    MailRig rig(sim_with(1));
    rig.import();
    if (::geteuid() == 0) rig.daemon.limit("--core=unlimited");
    rig.daemon.start();
    std::ifstream limits(fmt::format("/proc/{}/limits", rig.daemon.process().pid()));
    std::string core;
    for (std::string line; std::getline(limits, line);)
        if (line.starts_with("Max core file size")) core = line;
    CAPTURE(core);
    CHECK(core.find(" 1 ") != std::string::npos);
    CHECK(core.find("unlimited") == std::string::npos);
    CHECK(rig.daemon.stop() == 0);
}
