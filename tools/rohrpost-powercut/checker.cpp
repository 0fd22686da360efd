#include "tools/rohrpost-powercut/checker.hpp"

#include <fmt/format.h>
#include <sys/mount.h>

#include <chrono>

#include "protocols/base/text.hpp"
#include "tests/support/directory.hpp"
#include "tools/rohrpost-powercut/mounts.hpp"
#include "tools/rohrpost-sim/message.hpp"

namespace powercut {

namespace {

constexpr std::size_t waiting_max = 4;
constexpr auto fetches_within = std::chrono::seconds(120);

/// Whose mail it is; nullopt unless its body is whole. Header fields may have been added and folded, and line ends
/// changed.
std::optional<MailName> mail_in(const std::string& file) {
    std::string text;
    text.reserve(file.size() + file.size() / 32);
    for (std::size_t at = 0; at < file.size(); ++at) {
        if (file[at] == '\n' && (at == 0 || file[at - 1] != '\r')) text += '\r';
        text += file[at];
    }
    const std::size_t end = text.find("\r\n\r\n");
    if (end == text.npos) return std::nullopt;
    std::string header = text.substr(0, end + 2);
    for (auto fold = header.find("\r\n "); fold != header.npos; fold = header.find("\r\n ")) header.erase(fold, 2);
    constexpr std::string_view field = "\r\nX-Sim: ";
    const std::size_t from = header.find(field);
    if (from == header.npos) return std::nullopt;
    const std::size_t value = from + field.size();
    const auto words = text::split(std::string_view(header).substr(value, header.find("\r\n", value) - value), ' ');
    if (words.size() != 3) return std::nullopt;
    const auto number = text::number<std::uint32_t>(words[1]);
    if (!number || sim::sha256_hex(std::string_view(text).substr(end + 4)) != words[2]) return std::nullopt;
    return MailName{std::string(words[0]), *number};
}

struct Found {
    std::map<MailName, std::size_t> copies;
    std::size_t torn = 0;
};

std::optional<MailName> unchanged_mail_in(const std::string& file) {
    const auto mark = sim::mark_of(file);
    if (!mark) return std::nullopt;
    return MailName{mark->mailbox, mark->number};
}

Found found_in(const Program& program) {
    Found found;
    for (const char* folder : {"new", "cur"}) {
        const auto place = program.maildir / folder;
        if (!std::filesystem::exists(place)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(place)) {
            const std::string file = support::contents_of(entry.path());
            const auto mail = program.byte_exact ? unchanged_mail_in(file) : mail_in(file);
            if (mail)
                ++found.copies[*mail];
            else
                ++found.torn;
        }
    }
    return found;
}

}  // namespace

Checker::Checker(Wish wish, Hear hear) : wish_(std::move(wish)), hear_(std::move(hear)) {
    for (std::size_t i = 0; i < wish_.threads; ++i) threads_.emplace_back([this] { serve(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || ready_ == wish_.threads; });
    if (!failure_) return;
    ending_ = true;
    lock.unlock();
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
    std::rethrow_exception(failure_);
}

Checker::~Checker() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        waiting_.clear();
    }
    changed_.notify_all();
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
}

void Checker::take(Cut cut) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || waiting_.size() < waiting_max; });
    if (failure_) return;  // finish() tells
    waiting_.push_back(std::move(cut));
    changed_.notify_all();
}

void Checker::finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || (waiting_.empty() && busy_ == 0); });
    if (failure_) std::rethrow_exception(failure_);
}

void Checker::serve() {
    try {
        leave_for_own_mounts();
        leave_for_own_network();
        must(::mount("powercut", wish_.runtime.c_str(), "tmpfs", 0, "mode=1777") == 0, "mount a place for pid files");
        PostOffice office(wish_.office);
        std::unique_lock lock(mutex_);
        ++ready_;
        changed_.notify_all();
        for (;;) {
            changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (ending_) return;
            const Cut cut = std::move(waiting_.front());
            waiting_.pop_front();
            ++busy_;
            changed_.notify_all();
            lock.unlock();
            Verdict verdict;
            try {
                verdict = look_into(cut, office);
            } catch (const std::runtime_error& reason) {
                verdict.failed = reason.what();  // no mount, or no end
            }
            {
                const std::lock_guard hear_lock(hear_mutex_);
                hear_(cut, verdict);
            }
            lock.lock();
            --busy_;
            changed_.notify_all();
        }
    } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        changed_.notify_all();
    }
}

Verdict Checker::look_into(const Cut& cut, PostOffice& office) const {
    office.put_up(cut.server);
    Verdict verdict;
    const Mounted disk(cut.image->number(), wish_.file_system, wish_.disk);
    // Here, but not after a power cut, that process is still alive, and would be waited for.
    for (const auto& lock : wish_.program.locks) std::filesystem::remove(lock);
    const auto run = [this, &verdict](const support::Process::Start& start) {
        const support::Ran ran = support::run_to_end(start, fetches_within);
        if (ran.exit_code != 0 && ran.exit_code != wish_.program.nothing_new)
            verdict.failed += fmt::format("exit code {}: {}{}", ran.exit_code, ran.output, ran.errors);
    };
    if (!cut.prepared && wish_.program.prepare) run(*wish_.program.prepare);
    run(wish_.program.fetch);

    const Found found = found_in(wish_.program);
    verdict.torn = found.torn;
    for (const auto& [mail, copies] : found.copies)
        if (copies > 1) verdict.doubled.insert(mail);
    for (const MailName& mail : cut.acknowledged)
        if (!found.copies.contains(mail)) verdict.lost.insert(mail);
    for (const auto& [address, mailbox] : cut.server)
        for (const auto& file : mailbox.files)
            if (!found.copies.contains(file.mail)) verdict.left_behind.insert(file.mail);
    return verdict;
}

}  // namespace powercut
