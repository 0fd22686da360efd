#include "tests/support/running.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include "protocols/base/text.hpp"
#include "protocols/wait/asio.hpp"

namespace support {

namespace {

constexpr int generations_max = 100;
// Below those that the system gives to whoever asks for any.
constexpr int lowest_port = 20'000, highest_port = 32'000;

/// Of several test programs that want the same port at the same moment one gets it, until it ends: the name of a socket
/// that nobody connects to.
bool reserve(int port) {
    const int name = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (name < 0) return false;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = "rohrpost-test-port-" + std::to_string(port);
    text.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);  // behind a NUL: not a file (unix(7), abstract)
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (::bind(name, reinterpret_cast<const sockaddr*>(&address), bytes) == 0) return true;
    ::close(name);
    return false;
}

struct Kin {
    std::string name;
    pid_t parent = 0;
    double cpu_seconds = 0;  // with its children that have ended
};

/// What a /proc/PID/stat says of its process.
std::optional<Kin> read_kin(const std::filesystem::path& stat) {
    std::ifstream in(stat);
    std::string line;
    if (!std::getline(in, line)) return std::nullopt;
    const std::size_t open = line.find('(');
    const std::size_t close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos) return std::nullopt;
    const auto words = text::split(std::string_view(line).substr(close + 2), ' ');
    if (words.size() < 15) return std::nullopt;
    std::uint64_t ticks = 0;
    for (std::size_t at = 11; at < 15; ++at) ticks += text::number<std::uint64_t>(words[at]).value_or(0);
    return Kin{line.substr(open + 1, close - open - 1), text::number<pid_t>(words[1]).value_or(0),
               static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK))};
}

std::map<pid_t, Kin> everybody() {
    std::map<pid_t, Kin> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto pid = text::number<pid_t>(entry.path().filename().string());
        if (!pid) continue;
        auto kin = read_kin(entry.path() / "stat");
        if (kin) all.emplace(*pid, std::move(*kin));
    }
    return all;
}

bool descends(const std::map<pid_t, Kin>& all, pid_t pid, pid_t ancestor) {
    for (int generation = 0; generation < generations_max && all.contains(pid); ++generation) {
        pid = all.at(pid).parent;
        if (pid == ancestor) return true;
    }
    return false;
}

}  // namespace

std::uint16_t free_port() {
    std::random_device random;
    std::uniform_int_distribution<int> any(lowest_port, highest_port);
    for (int tries = 0; tries < 10'000; ++tries) {
        const int port = any(random);
        if (!reserve(port)) continue;
        asio::io_context context;
        asio::ip::tcp::acceptor listener(context, asio::ip::tcp::v4());
        boost::system::error_code taken;
        listener.bind({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)}, taken);
        if (!taken) return static_cast<std::uint16_t>(port);
    }
    throw std::runtime_error("no port is free on 127.0.0.1");
}

bool listened_on(std::uint16_t port) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    boost::system::error_code error;
    socket.connect({asio::ip::address_v4::loopback(), port}, error);
    return !error;
}

std::size_t kill_descendants(pid_t ancestor, std::string_view name) {
    const auto all = everybody();
    std::size_t killed = 0;
    for (const auto& [pid, kin] : all)
        if (kin.name == name && descends(all, pid, ancestor) && ::kill(pid, SIGKILL) == 0) ++killed;
    return killed;
}

std::chrono::duration<double> cpu_of_family(pid_t ancestor) {
    const auto all = everybody();
    std::chrono::duration<double> sum{};
    for (const auto& [pid, kin] : all)
        if (pid == ancestor || descends(all, pid, ancestor)) sum += std::chrono::duration<double>(kin.cpu_seconds);
    return sum;
}

}  // namespace support
