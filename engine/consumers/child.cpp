#include "engine/consumers/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <memory>
#include <utility>

namespace consumers {
namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

error_code system_fault(int error) { return {error, boost::system::system_category()}; }

/// A descriptor that closes itself.
class Owned {
public:
    explicit Owned(int descriptor = -1) noexcept : descriptor_(descriptor) {}
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] int get() const noexcept { return descriptor_; }
    void reset(int descriptor) noexcept { descriptor_ = descriptor; }
    int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_;
};

struct Pipe {
    Owned from, to;
    bool open() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        from.reset(ends[0]);
        to.reset(ends[1]);
        return true;
    }
};

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

/// How a program begins: its three standard streams and no other, signals as usual, a group of its own.
class Beginning {
public:
    Beginning(int input, int output) {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&files_, output, STDERR_FILENO);
        ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
        ::posix_spawnattr_init(&attributes_);
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(&attributes_,
                                   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    Beginning(const Beginning&) = delete;
    Beginning& operator=(const Beginning&) = delete;
    ~Beginning() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    int spawn(pid_t& pid, const std::vector<std::string>& program, const std::vector<std::string>& environment) {
        auto words = pointers_to(program);
        auto variables = pointers_to(environment);
        return ::posix_spawn(&pid, words[0], &files_, &attributes_, words.data(), variables.data());
    }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

Result<std::unique_ptr<Child>> Child::start(asio::any_io_executor shard, const std::vector<std::string>& program,
                                            const std::vector<std::string>& environment) {
    Pipe input, output;
    if (!input.open() || !output.open()) return system_fault(errno);
    Beginning beginning(input.from.get(), output.to.get());
    pid_t pid = 0;
    const int failed = beginning.spawn(pid, program, environment);
    if (failed != 0) return system_fault(failed);
    Owned process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (process.get() < 0) {
        const int error = errno;
        ::kill(-pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return system_fault(error);
    }
    return std::unique_ptr<Child>(
        new Child(std::move(shard), pid, process.release(), input.to.release(), output.from.release()));
}

Child::Child(asio::any_io_executor shard, pid_t pid, int process, int input, int output)
    : pid_(pid), process_(shard, process), input_(shard, input), output_(shard, output) {
    input_.non_blocking(true);
    output_.non_blocking(true);
}

Child::~Child() {
    kill();
    if (!reaped_) ::waitpid(pid_, nullptr, 0);  // which a killed one does not keep waiting
}

void Child::kill() noexcept {
    // Once it is reaped, its number may be another's.
    if (!reaped_) ::kill(-pid_, SIGKILL);
}

awaitable<Result<void>> Child::write(std::string_view bytes) {
    const auto [failed, written] = co_await asio::async_write(input_, asio::buffer(bytes), as_values);
    if (failed) co_return failed;
    co_return Result<void>();
}

void Child::close_input() {
    error_code ignored;
    input_.close(ignored);
}

awaitable<void> Child::listen(std::size_t kept_bytes_max) {
    kept_bytes_max_ = kept_bytes_max;
    std::array<char, 4096> piece;
    for (;;) {
        const auto [ended, bytes] = co_await output_.async_read_some(asio::buffer(piece), as_values);
        if (ended) co_return;
        keep({piece.data(), bytes});
    }
}

void Child::keep(std::string_view said) {
    said_ += said.substr(0, kept_bytes_max_ - std::min(kept_bytes_max_, said_.size()));
}

awaitable<int> Child::ended() {
    for (;;) {
        const auto [failed] = co_await process_.async_wait(asio::posix::stream_descriptor::wait_read, as_values);
        siginfo_t seen{};
        const bool over =
            ::waitid(P_PID, static_cast<id_t>(pid_), &seen, WEXITED | WNOHANG | WNOWAIT) == 0 && seen.si_pid == pid_;
        if (!over && !failed) continue;
        kill();  // what it has started ends with it; its number is its own until it is reaped
        int status = 0;
        ::waitpid(pid_, &status, 0);
        reaped_ = true;
        close_streams();
        co_return status;
    }
}

/// Somebody in another group may hold the other ends for ever. What was said by then counts.
void Child::close_streams() {
    std::array<char, 4096> piece;
    error_code nothing;
    while (!nothing) {
        const auto bytes = output_.read_some(asio::buffer(piece), nothing);
        if (!nothing) keep({piece.data(), bytes});
        if (said_.size() >= kept_bytes_max_) break;
    }
    output_.close(nothing);
    input_.close(nothing);
}

}  // namespace consumers
