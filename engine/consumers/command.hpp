#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "engine/consumers/body_reader.hpp"
#include "engine/consumers/child.hpp"
#include "engine/consumers/command_verdict.hpp"
#include "engine/runtime/scope.hpp"
#include "protocols/wait/timers.hpp"

namespace consumers {

/// Runs a program for each mail, with the mail on its standard input: exactly the bytes that were received. What it is
/// about stands in the environment: ROHRPOST_ID (the stable id, the same at each attempt), ROHRPOST_MAILBOX,
/// ROHRPOST_ADDRESS, ROHRPOST_FOLDER, ROHRPOST_SEQ, ROHRPOST_BYTES, and ROHRPOST_POSSIBLE_REPEAT=yes. Of ours it
/// inherits PATH, HOME, LANG, LC_ALL and TZ alone. A program that does not end in time is killed with all that it
/// started. The first words that it says are the reason when it fails.
class Command final : public Consumer {
public:
    struct Options {
        std::vector<std::string> program;  // its absolute path, and its arguments
        std::chrono::milliseconds timeout = std::chrono::seconds(60);
        std::chrono::milliseconds turn = std::chrono::seconds(2);  // of one deliver(): then what is done is noted
    };
    Command(Options options, asio::any_io_executor shard, Timers& timers);

    awaitable<Delivered> deliver(std::span<const Mail> batch) override;
    void wind_up() noexcept override { winding_up_ = true; }

private:
    /// A program at work, which two more coroutines feed and listen to.
    struct Run;
    struct Outcome {
        CommandVerdict verdict{};
        bool began = false;
    };

    awaitable<Outcome> hand_over(const Mail& mail);
    static awaitable<void> feed(std::shared_ptr<Run> run);
    static awaitable<void> listen(std::shared_ptr<Run> run);

    Options options_;
    asio::any_io_executor shard_;
    Timers& timers_;
    bool winding_up_ = false;
    runtime::Scope scope_;  // last
};

}  // namespace consumers
