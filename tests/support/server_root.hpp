#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/directory.hpp"
#include "tests/support/process.hpp"

namespace support {

/// Whether servers can run in roots of their own here, which takes root; when not, says so with the word SKIPPED, which
/// ctest reports.
bool server_roots_work();

/// A mail server as tools/setup/servers has unpacked it, with directories of a test bound into it, and a /dev where
/// what it says to syslog is kept. Throws std::runtime_error when it is not there.
class ServerRoot {
public:
    ServerRoot(const std::string& server, std::vector<Process::Root::Bound> bound);
    ServerRoot(const ServerRoot&) = delete;
    ServerRoot& operator=(const ServerRoot&) = delete;
    ~ServerRoot();

    /// The account of the root that owns mail: "nobody" of group "nogroup".
    static constexpr Process::Account mail_account{65534, 65534};
    /// A command of the root, with nothing of our environment that matters to it.
    [[nodiscard]] Process::Start command(std::vector<std::string> words) const;
    /// What was said to syslog so far.
    [[nodiscard]] std::string log() const;

private:
    TemporaryDirectory directory_;
    Process::Root root_;
    std::jthread log_keeper_;
};

/// The process that `command` starts, once it accepts connections on the port that it is told. Ports that others take
/// meanwhile are given up for new ones, unless `known_port` is not 0. Throws with what it and `log` say otherwise.
struct Listening {
    std::unique_ptr<Process> process;
    std::uint16_t port = 0;
};
Listening start_listening(std::uint16_t known_port, const std::function<Process::Start(std::uint16_t)>& command,
                          const std::function<std::string()>& log);

/// Gives the path and all below it to that account.
void give_to(Process::Account account, const std::filesystem::path& path);

}  // namespace support
