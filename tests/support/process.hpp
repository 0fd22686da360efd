#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace support {

/// A program under test. It leads a process group of its own and never outlives this object nor, should the test
/// crash, the thread that started it. One thread.
class Process {
public:
    struct Account {
        uid_t user = 0;
        gid_t group = 0;
    };
    /// A directory that the program sees as /, with others of ours bound over directories and files in it. The program
    /// and all it starts have process ids of their own there, and end with it. Only root can give one.
    struct Root {
        struct Bound {
            std::filesystem::path ours;
            std::string place;  // exists in the root: "/etc/courier"
        };
        std::filesystem::path path;
        std::vector<Bound> bound{};
    };
    struct Start {
        std::vector<std::string> command;                  // program (looked up in PATH) and arguments
        std::map<std::string, std::string> environment{};  // on top of ours
        std::string input{};                               // what it reads
        std::filesystem::path directory{};                 // empty: ours, or /
        std::optional<Root> root{};                        // nothing: ours
        std::optional<Account> as{};                       // nothing: ourselves
    };

    /// Throws std::runtime_error when the program cannot be started.
    explicit Process(Start start);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// The next line of its standard output without line end; nullopt: none within the time, or there are no more.
    std::optional<std::string> read_line(std::chrono::milliseconds within);
    /// All it said on standard error so far.
    [[nodiscard]] std::string errors() const;
    void signal(int number) const;
    /// The same to its whole group.
    void signal_group(int number) const;
    /// Its exit code, or 128 plus the signal that ended it; nullopt: still running after that time.
    std::optional<int> wait(std::chrono::milliseconds within);

private:
    pid_t pid_ = -1;
    int alive_ = -1;   // readable once it has ended
    int output_ = -1;  // a pipe
    int errors_ = -1;  // a file in memory
    std::string unread_;
    std::optional<int> ended_;
};

/// What a program said from start to end.
struct Ran {
    int exit_code = 0;
    std::string output;
    std::string errors;
};
/// Throws std::runtime_error when it does not end within that time.
Ran run_to_end(Process::Start start, std::chrono::milliseconds within = std::chrono::seconds(30));

}  // namespace support
