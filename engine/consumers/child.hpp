#pragma once

#include <sys/types.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/wait/asio.hpp"

namespace consumers {

/// A program that runs: without a shell, in a process group of its own, with nothing of ours open but a pipe to its
/// standard input and one from its standard output and error. Owns it: whoever lets go of a Child that runs kills its
/// group. One shard.
class Child {
public:
    /// Starts it. `environment` is all it gets: "NAME=VALUE". Errors: those of the system.
    static Result<std::unique_ptr<Child>> start(asio::any_io_executor shard, const std::vector<std::string>& program,
                                                const std::vector<std::string>& environment);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Errors: broken_pipe when the program does not read on; those of the system.
    awaitable<Result<void>> write(std::string_view bytes);
    void close_input();
    /// Reads what it says until it says no more, and keeps the first `kept_bytes_max`.
    awaitable<void> listen(std::size_t kept_bytes_max);
    [[nodiscard]] const std::string& said() const noexcept { return said_; }
    /// Until it has ended; what waitpid() says. What listen() waits for is over then.
    awaitable<int> ended();
    /// SIGKILL to its group.
    void kill() noexcept;

private:
    Child(asio::any_io_executor shard, pid_t pid, int process, int input, int output);
    void keep(std::string_view said);
    void close_streams();

    pid_t pid_;
    bool reaped_ = false;
    asio::posix::stream_descriptor process_;  // readable when it has ended
    asio::posix::stream_descriptor input_;
    asio::posix::stream_descriptor output_;
    std::string said_;
    std::size_t kept_bytes_max_ = 0;
};

}  // namespace consumers
