#include "tools/rohrpost-powercut/referee.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace powercut {

namespace {

constexpr int waiting_max = 64;
constexpr mode_t anybody = 0777;  // programs may run under another account

}  // namespace

Referee::Referee(std::filesystem::path place, Hear hear)
    : place_(std::move(place)), hear_(std::move(hear)), listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (place_.string().size() >= sizeof address.sun_path)
        throw std::runtime_error("path too long: " + place_.string());
    std::strcpy(address.sun_path, place_.c_str());
    must(::bind(listener_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
             ::listen(listener_.number(), waiting_max) == 0 && ::chmod(place_.c_str(), anybody) == 0,
         "listen at " + place_.string());
    thread_ = std::thread([this] { serve(); });
}

Referee::~Referee() {
    ::shutdown(listener_.number(), SHUT_RDWR);
    thread_.join();
}

void Referee::serve() {
    for (;;) {
        const Descriptor program(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC));
        if (program.number() < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            return;
        }
        SyncEvent event;
        if (::recv(program.number(), &event, sizeof event, 0) != sizeof event) continue;
        hear_(event);
        const char go = 1;
        static_cast<void>(!::send(program.number(), &go, 1, MSG_NOSIGNAL));
    }
}

}  // namespace powercut
