#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/directory.hpp"
#include "tests/support/process.hpp"

namespace support {

/// Looks again and again until the fact holds; false when it does not within that time.
bool eventually(const std::function<bool()>& fact, std::chrono::milliseconds within = std::chrono::seconds(60));

/// The product's own program on a data directory of its own: its commands, and one daemon at a time. One thread.
class Daemon {
public:
    Daemon() = default;

    [[nodiscard]] std::filesystem::path data() const { return directory_ / "data"; }
    [[nodiscard]] std::filesystem::path maildir() const { return directory_ / "maildir"; }
    /// A file beside the data directory.
    [[nodiscard]] std::filesystem::path file(std::string_view name) const { return directory_ / name; }

    /// `rohrpost` with these words and the data directory, to its end.
    [[nodiscard]] Ran ask(std::vector<std::string> words, const std::string& input = "") const;
    /// Throws std::runtime_error with the program's words when it is refused.
    void import(const std::string& document) const;

    /// What the daemon is started with from now on, a word for prlimit(1): "--nofile=64:64".
    void limit(std::string word) { limits_.push_back(std::move(word)); }
    /// `rohrpost run` with these flags; throws when it does not answer commands soon.
    void start(std::vector<std::string> flags = {});
    /// The same without waiting for anything.
    void launch(std::vector<std::string> flags = {});
    /// `rohrpost run --exit-when-idle` to its end; the exit code.
    int run_until_idle(std::vector<std::string> flags = {},
                       std::chrono::milliseconds within = std::chrono::seconds(120));
    /// Its exit code, or 128 plus the signal that ended it; nullopt: still running after that time.
    std::optional<int> wait(std::chrono::milliseconds within);
    /// SIGTERM; the exit code. Throws when it does not end.
    int stop();
    /// SIGKILL.
    void kill();

    [[nodiscard]] const Process& process() const { return *process_; }
    /// What the daemon that was started last has logged.
    [[nodiscard]] std::string log() const { return process_ ? process_->errors() : std::string(); }
    /// What `mailbox show --json` says. Throws when it is refused.
    [[nodiscard]] boost::json::object mailbox(const std::string& id) const;
    /// Of that: state and reason in one line.
    [[nodiscard]] std::string state_of(const std::string& id) const;
    /// A line of /proc/PID/FILE that begins with `name`, as a number: ("status", "VmHWM:") in KiB, ("io", "wchar:").
    [[nodiscard]] std::uint64_t kernel_count(const std::string& file, std::string_view name) const;

private:
    TemporaryDirectory directory_;
    std::vector<std::string> limits_;
    std::unique_ptr<Process> process_;
};

}  // namespace support
