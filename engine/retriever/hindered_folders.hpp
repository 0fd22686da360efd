#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/retriever/verdict.hpp"

namespace retriever {

/// The folders of a mailbox that cannot be fetched for now, each with its reason and the time of the next attempt: they
/// stop no other one. Outlives connections. One session, one shard.
class HinderedFolders {
public:
    /// `fraction` in [0, 1) spreads the next attempt, which comes later each time. True: it is news.
    bool note(const std::string& folder, const Ended& hindered, store::Millis now, double fraction);
    /// It can be fetched, or is none of the mailbox's any more.
    void forget(std::string_view folder);
    void keep(const std::vector<std::string>& folders);
    /// All are tried again.
    void try_all() noexcept;

    [[nodiscard]] bool contains(std::string_view folder) const { return folders_.find(folder) != folders_.end(); }
    [[nodiscard]] bool waits(std::string_view folder, store::Millis now) const;
    [[nodiscard]] std::size_t size() const noexcept { return folders_.size(); }
    [[nodiscard]] std::optional<store::Millis> next_attempt() const;
    /// Why the folder is not fetched; it is contained.
    [[nodiscard]] const Ended& reason(std::string_view folder) const { return folders_.find(folder)->second.why; }
    /// The reasons of a few, and how many there are; empty: there is none.
    [[nodiscard]] std::string text() const;

private:
    struct Hindered {
        Ended why;
        std::uint32_t failures = 0;
        store::Millis next_attempt{};
    };
    std::map<std::string, Hindered, std::less<>> folders_;
};

}  // namespace retriever
