#include "tests/support/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace support {

namespace {

void must(bool worked, const char* what) {
    if (!worked) throw std::runtime_error(fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view name = std::string_view(*variable).substr(0, std::string_view(*variable).find('='));
        if (!more.contains(std::string(name))) variables.emplace_back(*variable);
    }
    for (const auto& [name, value] : more) variables.push_back(fmt::format("{}={}", name, value));
    return variables;
}

int memory_with(const std::string& bytes) {
    const int file = ::memfd_create("rohrpost-test", MFD_CLOEXEC);
    must(file >= 0, "make a file in memory");
    must(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "fill a file in memory");
    must(::lseek(file, 0, SEEK_SET) == 0, "rewind a file in memory");
    return file;
}

struct Mount {
    std::string from, to;
};
std::vector<Mount> mounts_of(const std::optional<Process::Root>& root) {
    std::vector<Mount> mounts;
    if (!root) return mounts;
    for (const auto& bound : root->bound) mounts.push_back({bound.ours.string(), root->path.string() + bound.place});
    return mounts;
}

struct Child {
    char** command;
    char** environment;
    const char* root;  // nullptr: ours
    const std::vector<Mount>& mounts;
    const char* directory;  // nullptr: ours
    const Process::Account* as;
    pid_t parent;
    int input, output, errors;
};

/// In the child, which has a mount table of its own.
bool change_root(const Child& child) {
    bool ready = ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    for (const Mount& one : child.mounts)
        ready = ready && ::mount(one.from.c_str(), one.to.c_str(), nullptr, MS_BIND, nullptr) == 0;
    return ready && ::chroot(child.root) == 0 && ::chdir("/") == 0;
}

/// Like fork(); with a root of its own the child is the first process of a table of its own.
pid_t fork_for(const Child& child) {
    if (child.root == nullptr) return ::fork();
    return static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
}

/// In the child: only calls that are safe after fork() of a process with threads.
[[noreturn]] void become(const Child& child) {
    ::setpgid(0, 0);
    bool ready = ::dup2(child.input, 0) == 0 && ::dup2(child.output, 1) == 1 && ::dup2(child.errors, 2) == 2;
    ::close_range(3, ~0U, 0);
    if (child.root != nullptr) ready = ready && change_root(child);
    ready = ready && (child.directory == nullptr || ::chdir(child.directory) == 0);
    if (child.as != nullptr)
        ready =
            ready && ::setgroups(0, nullptr) == 0 && ::setgid(child.as->group) == 0 && ::setuid(child.as->user) == 0;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const pid_t parent = child.root == nullptr ? child.parent : 0;  // ours is not in its table
    if (ready && ::getppid() == parent) ::execvpe(child.command[0], child.command, child.environment);
    constexpr std::string_view words = "cannot start the program\n";
    static_cast<void>(!::write(2, words.data(), words.size()));
    ::_exit(127);
}

bool readable(int descriptor, std::chrono::milliseconds within) {
    pollfd wanted{descriptor, POLLIN, 0};
    return ::poll(&wanted, 1, static_cast<int>(within.count())) > 0;
}

std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point due) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
    return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace

Process::Process(Start start) {
    std::vector<std::string> variables = environment_with(start.environment);
    const std::vector<char*> command = pointers_to(start.command);
    const std::vector<char*> environment = pointers_to(variables);
    std::array<int, 2> pipe{};
    must(::pipe2(pipe.data(), O_CLOEXEC) == 0, "make a pipe");
    const int input = memory_with(start.input);
    errors_ = memory_with("");
    output_ = pipe[0];
    const std::vector<Mount> mounts = mounts_of(start.root);
    const Child child{.command = const_cast<char**>(command.data()),
                      .environment = const_cast<char**>(environment.data()),
                      .root = start.root ? start.root->path.c_str() : nullptr,
                      .mounts = mounts,
                      .directory = start.directory.empty() ? nullptr : start.directory.c_str(),
                      .as = start.as ? &*start.as : nullptr,
                      .parent = ::getpid(),
                      .input = input,
                      .output = pipe[1],
                      .errors = errors_};
    pid_ = fork_for(child);
    if (pid_ == 0) become(child);
    ::close(pipe[1]);
    ::close(input);
    must(pid_ > 0, "fork");
    ::setpgid(pid_, pid_);  // in both, so that the group exists for whoever comes first
    alive_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    must(alive_ >= 0, "watch a process");
}

Process::~Process() {
    if (!ended_) {
        signal_group(SIGKILL);
        signal(SIGKILL);
        wait(std::chrono::seconds(30));
    }
    ::close(alive_);
    ::close(output_);
    ::close(errors_);
}

std::optional<std::string> Process::read_line(std::chrono::milliseconds within) {
    const auto due = std::chrono::steady_clock::now() + within;
    std::array<char, 4096> chunk{};
    for (;;) {
        const std::size_t end = unread_.find('\n');
        if (end != std::string::npos) {
            std::string line = unread_.substr(0, end);
            unread_.erase(0, end + 1);
            return line;
        }
        if (!readable(output_, left_until(due))) return std::nullopt;
        const ssize_t count = ::read(output_, chunk.data(), chunk.size());
        if (count <= 0) return std::nullopt;
        unread_.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

std::string Process::errors() const {
    struct stat facts {};
    must(::fstat(errors_, &facts) == 0, "look at standard error");
    std::string said(static_cast<std::size_t>(facts.st_size), '\0');
    const ssize_t count = ::pread(errors_, said.data(), said.size(), 0);
    said.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
    return said;
}

void Process::signal(int number) const {
    if (!ended_) ::kill(pid_, number);
}

void Process::signal_group(int number) const {
    if (!ended_) ::kill(-pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds within) {
    if (ended_) return ended_;
    if (!readable(alive_, within)) return std::nullopt;
    int status = 0;
    must(::waitpid(pid_, &status, 0) == pid_, "wait for a process");
    ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended_;
}

Ran run_to_end(Process::Start start, std::chrono::milliseconds within) {
    const auto due = std::chrono::steady_clock::now() + within;
    const std::string name = start.command.front();
    Process process(std::move(start));
    Ran ran;
    while (const auto line = process.read_line(left_until(due))) ran.output += *line + "\n";
    const auto code = process.wait(left_until(due));
    if (!code) throw std::runtime_error(fmt::format("{} did not end: {}", name, process.errors()));
    ran.exit_code = *code;
    ran.errors = process.errors();
    return ran;
}

}  // namespace support
