#include "tools/rohrpost-powercut/mounts.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <vector>

#include "tests/support/process.hpp"

namespace powercut {

namespace {

constexpr int loop_major = 7;
constexpr int attempts_max = 200;  // others may take a free loop device first

/// A free loop device with `file` behind it.
Descriptor attach(int file) {
    const Descriptor control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    must(control.number() >= 0, "open /dev/loop-control");
    loop_config wanted{};
    wanted.fd = static_cast<__u32>(file);
    wanted.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const int number = ::ioctl(control.number(), LOOP_CTL_GET_FREE);
        must(number >= 0, "find a free loop device");
        const std::string path = "/dev/loop" + std::to_string(number);
        if (!std::filesystem::exists(path))
            ::mknod(path.c_str(), S_IFBLK | S_IRUSR | S_IWUSR, ::makedev(loop_major, static_cast<unsigned>(number)));
        Descriptor loop(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        if (loop.number() >= 0 && ::ioctl(loop.number(), LOOP_CONFIGURE, &wanted) == 0) return loop;
        must(errno == EBUSY || errno == ENXIO, "set up " + path);
        std::this_thread::yield();
    }
    throw std::runtime_error("cannot get hold of a loop device");
}

std::string path_of(const Descriptor& loop) {
    struct stat facts {};
    must(::fstat(loop.number(), &facts) == 0, "look at a loop device");
    return "/dev/loop" + std::to_string(::minor(facts.st_rdev));
}

}  // namespace

int in_a_world_of_its_own(const std::function<int()>& work) {
    // The one inside sees them pending and ends in good order: a disk whose server is killed leaves its loop device
    // stuck.
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    must(::unshare(CLONE_NEWPID) == 0, "leave for processes of our own");
    const pid_t first = ::fork();
    must(first >= 0, "fork");
    if (first == 0) {
        int code = EXIT_FAILURE;
        try {
            must(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "end with the process that started us");
            leave_for_own_mounts();
            must(::mount("proc", "/proc", "proc", 0, nullptr) == 0, "mount /proc");
            code = work();
        } catch (const std::exception& reason) {
            std::fprintf(stderr, "rohrpost-powercut: %s\n", reason.what());
        }
        std::fflush(nullptr);
        ::_exit(code);
    }
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(first, &status, WNOHANG)) == 0) {
        int number = 0;
        ::sigwait(&signals, &number);
        if (number != SIGCHLD) ::kill(first, number);
    }
    must(ended == first, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void leave_for_own_mounts() {
    must(::unshare(CLONE_NEWNS) == 0, "leave for mounts of our own");
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "keep our mounts to ourselves");
}

void leave_for_own_network() {
    must(::unshare(CLONE_NEWNET) == 0, "leave for a network of our own");
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    must(::ioctl(socket.number(), SIOCGIFFLAGS, &loopback) == 0, "look at the loopback interface");
    loopback.ifr_flags = static_cast<short>(loopback.ifr_flags | IFF_UP);
    must(::ioctl(socket.number(), SIOCSIFFLAGS, &loopback) == 0, "raise the loopback interface");
}

Mounted::Mounted(int file, std::string file_system, std::filesystem::path place)
    : place_(std::move(place)), loop_(attach(file)) {
    const char* options = file_system == "xfs" ? "nouuid" : nullptr;
    must(::mount(path_of(loop_).c_str(), place_.c_str(), file_system.c_str(), 0, options) == 0,
         "mount a disk image as " + file_system);
    struct stat facts {};
    must(::stat(place_.c_str(), &facts) == 0, "look at " + place_.string());
    device_ = facts.st_dev;
}

Mounted::~Mounted() {
    // Processes that were killed may take a moment to let go.
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        if (::umount2(place_.c_str(), 0) == 0 || errno != EBUSY) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ::umount2(place_.c_str(), MNT_DETACH);
}

Image formatted(const std::string& file_system) {
    static const std::map<std::string, std::vector<std::string>> commands{
        {"ext4", {"mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"}},
        {"xfs", {"mkfs.xfs", "-q", "-f", "-K"}},
        {"btrfs", {"mkfs.btrfs", "-q", "-f", "-K"}},
    };
    const auto found = commands.find(file_system);
    if (found == commands.end()) throw std::runtime_error("no such file system: " + file_system);
    Image image = blank_image();
    support::Process::Start start;
    start.command = found->second;
    start.command.push_back("/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(image->number()));
    const support::Ran ran = support::run_to_end(std::move(start));
    if (ran.exit_code != 0) throw std::runtime_error(found->second.front() + ": " + ran.errors);
    return image;
}

}  // namespace powercut
