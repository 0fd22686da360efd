// Preloaded into programs under test: every sync call that concerns the disk under test is reported to the referee
// before it is made and after it has returned. Without POWERCUT_REFEREE nothing changes.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tools/rohrpost-powercut/sync_event.hpp"

namespace {

using powercut::SyncEvent;

/// Waits until the referee lets the program go on. A referee that has gone away ends the program: what it did from
/// then on would be seen by nobody.
void tell(const char (&place)[sizeof(sockaddr_un::sun_path)], SyncEvent::Moment moment, const char* call) {
    const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, place, sizeof address.sun_path);
    SyncEvent event;
    event.pid = ::getpid();
    event.moment = moment;
    std::strncpy(event.call, call, sizeof event.call - 1);
    char answer = 0;
    const bool told = socket >= 0 && ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                      ::send(socket, &event, sizeof event, MSG_NOSIGNAL) == sizeof event;
    ssize_t got = -1;
    do {
        got = told ? ::recv(socket, &answer, 1, 0) : -1;
    } while (told && got < 0 && errno == EINTR);
    if (got != 1) ::_exit(99);
    ::close(socket);
}

/// What the environment said at the start: some programs clear theirs.
struct Wish {
    char referee[sizeof(sockaddr_un::sun_path)] = {};
    unsigned long long device = 0;
    bool broken = false;
};
Wish wish;

__attribute__((constructor)) void read_environment() {
    const char* referee = std::getenv(powercut::referee_variable);
    const char* device = std::getenv(powercut::device_variable);
    const char* broken = std::getenv(powercut::broken_variable);
    if (referee != nullptr) std::strncpy(wish.referee, referee, sizeof wish.referee - 1);
    if (device != nullptr) wish.device = std::strtoull(device, nullptr, 10);
    wish.broken = broken != nullptr && std::strcmp(broken, "1") == 0;
}

bool concerns_us(int descriptor) {
    struct stat facts {};
    return ::fstat(descriptor, &facts) == 0 && facts.st_dev == wish.device;
}

template <class Call>
int reported(const char* name, bool concerns, Call call) {
    if (wish.referee[0] == '\0' || !concerns) return static_cast<int>(call());
    tell(wish.referee, SyncEvent::Moment::before, name);
    const int returned = wish.broken ? 0 : static_cast<int>(call());
    const int reason = errno;
    tell(wish.referee, SyncEvent::Moment::after, name);
    errno = reason;
    return returned;
}

}  // namespace

extern "C" {

int fsync(int descriptor) {
    return reported("fsync", concerns_us(descriptor), [=] { return ::syscall(SYS_fsync, descriptor); });
}
int fdatasync(int descriptor) {
    return reported("fdatasync", concerns_us(descriptor), [=] { return ::syscall(SYS_fdatasync, descriptor); });
}
int syncfs(int descriptor) noexcept {
    return reported("syncfs", concerns_us(descriptor), [=] { return ::syscall(SYS_syncfs, descriptor); });
}
void sync() noexcept {
    reported("sync", true, [] { return ::syscall(SYS_sync); });
}
int msync(void* from, std::size_t bytes, int how) {
    return reported("msync", (how & MS_SYNC) != 0, [=] { return ::syscall(SYS_msync, from, bytes, how); });
}

}  // extern "C"
