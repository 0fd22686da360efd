#include "engine/retriever/hindered_folders.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace retriever {

namespace {

constexpr std::size_t told_max = 3;

}  // namespace

bool HinderedFolders::note(const std::string& folder, const Ended& hindered, store::Millis now, double fraction) {
    auto& here = folders_[folder];
    const bool is_news = here.why.reason != hindered.reason;
    const auto next = next_after(hindered, here.failures, fraction);
    here.why = hindered;
    here.failures = next.failures;
    here.next_attempt = now + next.after;
    return is_news;
}

void HinderedFolders::forget(std::string_view folder) {
    const auto found = folders_.find(folder);
    if (found != folders_.end()) folders_.erase(found);
}

void HinderedFolders::keep(const std::vector<std::string>& folders) {
    std::erase_if(folders_, [&folders](const auto& each) {
        return std::find(folders.begin(), folders.end(), each.first) == folders.end();
    });
}

void HinderedFolders::try_all() noexcept {
    for (auto& [name, folder] : folders_) folder.next_attempt = {};
}

bool HinderedFolders::waits(std::string_view folder, store::Millis now) const {
    const auto found = folders_.find(folder);
    return found != folders_.end() && now < found->second.next_attempt;
}

std::optional<store::Millis> HinderedFolders::next_attempt() const {
    std::optional<store::Millis> next;
    for (const auto& [name, folder] : folders_)
        next = std::min(next.value_or(folder.next_attempt), folder.next_attempt);
    return next;
}

std::string HinderedFolders::text() const {
    std::string told;
    std::size_t count = 0;
    for (const auto& [name, folder] : folders_) {
        if (++count > told_max) break;
        if (!told.empty()) told += "; ";
        told += folder.why.reason;
    }
    if (folders_.size() > told_max) told += fmt::format("; and {} more", folders_.size() - told_max);
    return told;
}

}  // namespace retriever
