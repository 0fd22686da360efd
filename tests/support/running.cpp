#include "tests/support/running.hpp"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "protocols/base/text.hpp"
#include "protocols/wait/asio.hpp"

namespace support {

namespace {

constexpr int generations_max = 100;

struct Kin {
    std::string name;
    pid_t parent = 0;
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
    return Kin{line.substr(open + 1, close - open - 1),
               words.size() > 1 ? text::number<pid_t>(words[1]).value_or(0) : 0};
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
    asio::io_context context;
    const asio::ip::tcp::acceptor listener(context, {asio::ip::address_v4::loopback(), 0});
    return listener.local_endpoint().port();
}

bool listened_on(std::uint16_t port) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    boost::system::error_code error;
    socket.connect({asio::ip::address_v4::loopback(), port}, error);
    return !error;
}

std::size_t kill_descendants(pid_t ancestor, std::string_view name) {
    std::map<pid_t, Kin> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto pid = text::number<pid_t>(entry.path().filename().string());
        if (!pid) continue;
        auto kin = read_kin(entry.path() / "stat");
        if (kin) all.emplace(*pid, std::move(*kin));
    }
    std::size_t killed = 0;
    for (const auto& [pid, kin] : all)
        if (kin.name == name && descends(all, pid, ancestor) && ::kill(pid, SIGKILL) == 0) ++killed;
    return killed;
}

}  // namespace support
