#include "engine/retriever/state_board.hpp"

#include <algorithm>

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
    audits_asked_.erase(id);
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

bool StateBoard::ask_audit(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (!states_.contains(id)) return false;
    audits_asked_.insert(id);
    return true;
}

bool StateBoard::audit_asked(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    return audits_asked_.contains(id);
}

void StateBoard::audited(const std::string& id) {
    const std::lock_guard lock(mutex_);
    audits_asked_.erase(id);
}

StateBoard::Tally StateBoard::tally() const {
    Tally tally;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, state] : states_) {
        ++tally.mailboxes;
        const bool paused = state.phase == Phase::paused;
        const bool stuck = state.phase == Phase::needs_help || state.failures >= failures_of_stuck;
        tally.paused += paused ? 1 : 0;
        const bool whole = state.caught_up && state.hindered.empty();
        const bool in_part = state.caught_up && !whole;  // more does not come by itself
        tally.caught_up += !paused && whole ? 1 : 0;
        tally.stuck += !paused && (in_part || (!whole && stuck)) ? 1 : 0;
        const bool has_its_turn = state.phase == Phase::scheduled || state.phase == Phase::starting;
        tally.with_reason += state.reason.empty() || has_its_turn ? 0 : 1;
        tally.shadows += state.shadow ? 1 : 0;
        tally.shadow_missed += state.shadow_missed.value_or(0);
        if (!state.audit) continue;
        ++tally.audited;
        tally.unaccounted += state.audit->unknown();
        tally.oldest_audit = std::min(tally.oldest_audit.value_or(state.audit->at), state.audit->at);
    }
    return tally;
}

}  // namespace retriever
