#include "engine/retriever/state_board.hpp"

namespace retriever {

namespace {

constexpr std::uint32_t failures_of_stuck = 3;

}  // namespace

void StateBoard::put(const MailboxState& state) {
    const std::lock_guard lock(mutex_);
    states_.insert_or_assign(state.id, state);
}

void StateBoard::remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    states_.erase(id);
}

std::optional<MailboxState> StateBoard::find(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(id);
    if (found == states_.end()) return std::nullopt;
    return found->second;
}

std::vector<MailboxState> StateBoard::all() const {
    std::vector<MailboxState> all;
    const std::lock_guard lock(mutex_);
    all.reserve(states_.size());
    for (const auto& [id, state] : states_) all.push_back(state);
    return all;
}

StateBoard::Tally StateBoard::tally() const {
    Tally tally;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, state] : states_) {
        ++tally.mailboxes;
        const bool paused = state.phase == Phase::paused;
        const bool stuck = state.phase == Phase::needs_help || state.failures >= failures_of_stuck;
        tally.paused += paused ? 1 : 0;
        tally.caught_up += !paused && state.caught_up ? 1 : 0;
        tally.stuck += !paused && !state.caught_up && stuck ? 1 : 0;
        tally.with_reason += state.reason.empty() ? 0 : 1;
    }
    return tally;
}

}  // namespace retriever
