#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/retriever/state.hpp"

namespace retriever {

/// What all mailboxes are doing, for whoever asks: sessions write it at each change, any thread reads it.
class StateBoard {
public:
    void put(const MailboxState& state);
    void remove(const std::string& id);
    [[nodiscard]] std::optional<MailboxState> find(std::string_view id) const;
    [[nodiscard]] std::vector<MailboxState> all() const;  // in order of id

    struct Tally {
        std::size_t mailboxes = 0;
        std::size_t caught_up = 0;
        std::size_t paused = 0;
        std::size_t stuck = 0;  // only a person can go on, or it failed several times in a row
        std::size_t with_reason = 0;
    };
    [[nodiscard]] Tally tally() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, MailboxState, std::less<>> states_;
};

}  // namespace retriever
