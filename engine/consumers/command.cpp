#include "engine/consumers/command.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "engine/consumers/message_id.hpp"
#include "engine/runtime/log.hpp"
#include "protocols/base/text.hpp"

namespace consumers {
namespace {

using Fault = Delivered::Fault;

constexpr std::size_t said_bytes_max = 1024;
constexpr std::size_t shown_bytes_max = 300;

std::vector<std::string> environment_for(const Mail& mail) {
    std::vector<std::string> environment;
    for (const char* name : {"PATH", "HOME", "LANG", "LC_ALL", "TZ"}) {
        const char* value = std::getenv(name);
        if (value != nullptr) environment.push_back(fmt::format("{}={}", name, value));
    }
    // A name from outside may hold a NUL, which would end it.
    const auto put = [&environment](std::string_view name, std::string_view value) {
        environment.push_back(fmt::format("ROHRPOST_{}={}", name, value.substr(0, value.find('\0'))));
    };
    put("ID", text_of(mail.record.id));
    put("MAILBOX", mail.mailbox);
    put("ADDRESS", mail.address);
    put("FOLDER", mail.folder);
    put("SEQ", std::to_string(mail.record.seq));
    put("BYTES", std::to_string(mail.record.body.length));
    if (mail.possible_repeat) put("POSSIBLE_REPEAT", "yes");
    return environment;
}

}  // namespace

struct Command::Run {
    Run(std::unique_ptr<Child> started, const Mail& mail)
        : child(std::move(started)), body(*mail.bodies, mail.record.body) {}

    void one_ended() {
        if (--at_work == 0) rest.wake();
    }

    std::unique_ptr<Child> child;
    BodyReader body;
    error_code unread{};  // why the body could not be read
    int at_work = 2;      // those that feed it and listen to it
    Parking rest;
};

Command::Command(Options options, asio::any_io_executor shard, Timers& timers)
    : options_(std::move(options)),
      shard_(shard),
      timers_(timers),
      scope_(std::move(shard), [](const std::string& name, const std::string& what) {
          spdlog::error("coroutine={} failed={}", runtime::value(name), runtime::value(what));
      }) {}

awaitable<Delivered> Command::deliver(std::span<const Mail> batch) {
    Delivered delivered;
    delivered.attempted = 0;
    const auto turn_ends = timers_.now() + options_.turn;
    for (const Mail& mail : batch) {
        const auto at = delivered.count;
        if (winding_up_ || (at > 0 && timers_.now() >= turn_ends)) break;
        auto outcome = co_await hand_over(mail);
        if (!outcome.verdict.delivered) {
            delivered.attempted = outcome.began && outcome.verdict.fault == Fault::mail ? at + 1 : at;
            delivered.reason = fmt::format("{}: {}", options_.program.front(), outcome.verdict.says);
            delivered.fault = outcome.verdict.fault;
            break;
        }
        delivered.attempted = ++delivered.count;
    }
    co_return delivered;
}

awaitable<Command::Outcome> Command::hand_over(const Mail& mail) {
    Outcome outcome;
    const auto environment = environment_for(mail);
    auto started = Child::start(shard_, options_.program, environment);
    if (!started) {
        outcome.verdict.fault = Fault::consumer;
        outcome.verdict.says = fmt::format("cannot be run: {}", started.error().message());
        co_return outcome;
    }
    outcome.began = true;
    const auto run = std::make_shared<Run>(std::move(*started), mail);
    scope_.spawn("command input", feed(run));
    scope_.spawn("command output", listen(run));
    struct Late {
        explicit Late(Child& waited) noexcept : child(waited) {}
        Late(const Late&) = delete;
        Late& operator=(const Late&) = delete;
        ~Late() { child.kill(); }  // whoever is cut off leaves nobody behind
        Child& child;
        bool came = false;
    } late{*run->child};
    Timer timer(
        timers_,
        [](void* what) {
            auto& waited = *static_cast<Late*>(what);
            waited.came = true;
            waited.child.kill();
        },
        &late);
    timer.arm(timers_.now() + options_.timeout);
    const int status = co_await run->child->ended();
    timer.disarm();
    while (run->at_work > 0) co_await run->rest.wait();
    outcome.verdict = verdict_of(status);
    if (run->unread) {
        outcome.verdict.delivered = false;
        outcome.verdict.fault = fault_of_reading(run->unread);
        outcome.verdict.says = fmt::format("the body cannot be read: {}", run->unread.message());
    } else if (late.came) {
        outcome.verdict.delivered = false;
        outcome.verdict.fault = Fault::mail;
        outcome.verdict.says = fmt::format("was killed after {} s", options_.timeout.count() / 1000);
    }
    const auto said = text::trimmed(run->child->said());
    if (!outcome.verdict.delivered && !said.empty())
        outcome.verdict.says += ": " + text::printable(said, shown_bytes_max);
    co_return outcome;
}

/// A program that does not read to the end has its reasons. One whose mail cannot be read must not take what it has for
/// the whole: it is killed before its input ends.
awaitable<void> Command::feed(std::shared_ptr<Run> run) {
    while (!run->body.finished()) {
        auto piece = run->body.next();
        if (!piece) {
            run->unread = piece.error();
            run->child->kill();
            break;
        }
        const auto written = co_await run->child->write(*piece);
        if (!written) break;
    }
    run->child->close_input();
    run->one_ended();
}

awaitable<void> Command::listen(std::shared_ptr<Run> run) {
    co_await run->child->listen(said_bytes_max);
    run->one_ended();
}

}  // namespace consumers
