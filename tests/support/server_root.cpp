#include "tests/support/server_root.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "tests/support/places.hpp"
#include "tests/support/running.hpp"

namespace support {

namespace {

constexpr auto start_within = std::chrono::seconds(20);
constexpr int attempts_max = 5;
constexpr int log_look_ms = 50;
constexpr std::size_t log_line_bytes_max = 8192;

int log_socket(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.string();
    if (name.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + name);
    name.copy(address.sun_path, name.size());
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot listen on " + name);
    std::filesystem::permissions(path, std::filesystem::perms(0666));
    return socket;
}

}  // namespace

bool server_roots_work() {
    if (::getuid() == 0) return true;
    std::puts("SKIPPED: Cyrus, Courier and Postfix run in roots of their own, which only root can make");
    return false;
}

ServerRoot::ServerRoot(const std::string& server, std::vector<Process::Root::Bound> bound)
    : root_{std::filesystem::path(source_directory()) / "build/servers" / server, std::move(bound)} {
    if (!std::filesystem::exists(root_.path))
        throw std::runtime_error(fmt::format("{} is not unpacked: run tools/setup/servers", server));
    const auto dev = directory_ / "dev";
    std::filesystem::create_directory(dev);
    root_.bound.push_back({dev, "/dev"});
    const auto scratch = directory_ / "tmp";
    std::filesystem::create_directory(scratch);
    std::filesystem::permissions(scratch, std::filesystem::perms(01777));
    root_.bound.push_back({scratch, "/tmp"});
    for (const char* name : {"null", "zero", "random", "urandom"}) {
        std::ofstream(dev / name).flush();
        root_.bound.push_back({std::filesystem::path("/dev") / name, fmt::format("/dev/{}", name)});
    }
    log_keeper_ = std::jthread([this, socket = log_socket(dev / "log")](const std::stop_token& stop) {
        std::ofstream log(directory_ / "log");
        std::array<char, log_line_bytes_max> line{};
        while (!stop.stop_requested()) {
            pollfd wanted{socket, POLLIN, 0};
            if (::poll(&wanted, 1, log_look_ms) <= 0) continue;
            const ssize_t bytes = ::recv(socket, line.data(), line.size(), MSG_DONTWAIT);
            if (bytes > 0) log << std::string_view(line.data(), static_cast<std::size_t>(bytes)) << std::endl;
        }
        ::close(socket);
    });
}

ServerRoot::~ServerRoot() = default;

Process::Start ServerRoot::command(std::vector<std::string> words) const {
    Process::Start start;
    start.command = std::move(words);
    start.environment = {{"PATH", "/usr/sbin:/usr/bin"}, {"HOME", "/"}, {"LANG", "C"}};
    start.root = root_;
    return start;
}

std::string ServerRoot::log() const { return contents_of(directory_ / "log"); }

Listening start_listening(std::uint16_t known_port, const std::function<Process::Start(std::uint16_t)>& command,
                          const std::function<std::string()>& log) {
    for (int attempt = 1;; ++attempt) {
        const std::uint16_t port = known_port == 0 ? free_port() : known_port;
        auto process = std::make_unique<Process>(command(port));
        const auto due = std::chrono::steady_clock::now() + start_within;
        std::optional<int> ended;
        while (!ended && !listened_on(port) && std::chrono::steady_clock::now() < due)
            ended = process->wait(std::chrono::milliseconds(10));
        if (!ended && listened_on(port)) return {std::move(process), port};
        if (attempt == attempts_max || known_port != 0)
            throw std::runtime_error("the server does not start: " + process->errors() + log());
    }
}

void give_to(Process::Account account, const std::filesystem::path& path) {
    const auto change = [&](const std::filesystem::path& one) {
        if (::lchown(one.c_str(), account.user, account.group) != 0)
            throw std::runtime_error("cannot change the owner of " + one.string());
    };
    change(path);
    if (std::filesystem::is_directory(path))
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) change(entry.path());
}

}  // namespace support
