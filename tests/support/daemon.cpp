#include "tests/support/daemon.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/support/places.hpp"

namespace support {

namespace {

const std::string program = binary_directory() + "/bin/rohrpost";
constexpr auto between_looks = std::chrono::milliseconds(10);
constexpr auto ends_within = std::chrono::seconds(60);

}  // namespace

bool eventually(const std::function<bool()>& fact, std::chrono::milliseconds within) {
    const auto due = std::chrono::steady_clock::now() + within;
    while (!fact()) {
        if (std::chrono::steady_clock::now() >= due) return false;
        std::this_thread::sleep_for(between_looks);
    }
    return true;
}

Ran Daemon::ask(std::vector<std::string> words, const std::string& input) const {
    Process::Start start;
    start.command = {program};
    start.command.insert(start.command.end(), words.begin(), words.end());
    start.command.insert(start.command.end(), {"--data", data().string()});
    start.input = input;
    return run_to_end(std::move(start), ends_within);
}

void Daemon::import(const std::string& document) const {
    const Ran ran = ask({"import", "-"}, document);
    if (ran.exit_code != 0) throw std::runtime_error("import: " + ran.errors);
}

void Daemon::launch(std::vector<std::string> flags) {
    Process::Start start;
    if (!limits_.empty()) start.command = {"prlimit"};
    start.command.insert(start.command.end(), limits_.begin(), limits_.end());
    start.command.insert(start.command.end(), {program, "run", "--data", data().string()});
    const bool listens = std::find(flags.begin(), flags.end(), "--console") != flags.end();
    if (!listens) start.command.insert(start.command.end(), {"--console", "127.0.0.1:0"});
    start.command.insert(start.command.end(), flags.begin(), flags.end());
    process_.reset();
    process_ = std::make_unique<Process>(std::move(start));
}

void Daemon::start(std::vector<std::string> flags) {
    // One that was killed has left it. With it, `status` below would open the store itself, in the daemon's way.
    std::filesystem::remove(data() / "control.sock");
    launch(std::move(flags));
    const auto answers = [this] {
        if (process_->wait(std::chrono::milliseconds(0))) throw std::runtime_error("the daemon ended: " + log());
        // Before it listens, the command may find the store locked.
        return std::filesystem::exists(data() / "control.sock") &&
               ask({"status"}).output.find("running") != std::string::npos &&
               ask({"status"}).output.find("not running") == std::string::npos;
    };
    if (!eventually(answers)) throw std::runtime_error("the daemon does not answer: " + log());
}

int Daemon::run_until_idle(std::vector<std::string> flags, std::chrono::milliseconds within) {
    flags.emplace_back("--exit-when-idle");
    launch(std::move(flags));
    const auto code = process_->wait(within);
    if (!code) throw std::runtime_error("the daemon is not idle in time: " + log());
    return *code;
}

std::optional<int> Daemon::wait(std::chrono::milliseconds within) { return process_->wait(within); }

int Daemon::stop() {
    process_->signal(SIGTERM);
    const auto code = process_->wait(ends_within);
    if (!code) throw std::runtime_error("the daemon does not end: " + log());
    return *code;
}

void Daemon::kill() {
    process_->signal(SIGKILL);
    process_->wait(ends_within);
}

boost::json::object Daemon::mailbox(const std::string& id) const {
    const Ran ran = ask({"mailbox", "show", id, "--json"});
    if (ran.exit_code != 0) throw std::runtime_error("mailbox show: " + ran.errors);
    return boost::json::parse(ran.output).as_object();
}

std::string Daemon::state_of(const std::string& id) const {
    const auto facts = mailbox(id);
    std::string text;
    for (const char* key : {"state", "reason"}) {
        const auto* value = facts.if_contains(key);
        if (value != nullptr) text += (text.empty() ? "" : ": ") + std::string(value->as_string());
    }
    return text;
}

std::uint64_t Daemon::kernel_count(const std::string& file, std::string_view name) const {
    std::ifstream in(fmt::format("/proc/{}/{}", process_->pid(), file));
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(name)) return std::stoull(line.substr(name.size()));
    throw std::runtime_error(fmt::format("/proc has no {} in {}", name, file));
}

}  // namespace support
