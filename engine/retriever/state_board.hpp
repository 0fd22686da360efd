#pragma once

#include <map>
#include <mutex>
#include <set>
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

    /// Somebody wants the mailbox compared with its ledger; false: it is not here.
    bool ask_audit(const std::string& id);
    [[nodiscard]] bool audit_asked(const std::string& id) const;
    /// It has been.
    void audited(const std::string& id);

    struct Tally {
        std::size_t mailboxes = 0;
        std::size_t caught_up = 0;
        std::size_t paused = 0;
        std::size_t stuck = 0;  // only a person can go on, or it failed several times in a row
        std::size_t with_reason = 0;
        std::size_t audited = 0;
        std::size_t shadows = 0;
        std::uint64_t shadow_missed = 0;       // messages that other products have not taken in time
        std::uint64_t unaccounted = 0;         // messages on servers that no audit could account for
        std::optional<WallTime> oldest_audit;  // of those that were audited
    };
    [[nodiscard]] Tally tally() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, MailboxState, std::less<>> states_;
    std::set<std::string> audits_asked_;
};

}  // namespace retriever
