#include "engine/tokens/refresh_plan.hpp"

#include <algorithm>
#include <array>

namespace tokens {

namespace {

using std::chrono::seconds;

constexpr seconds unstated_life{300};
constexpr seconds longest_life = std::chrono::hours(28);
constexpr seconds margin{600};
constexpr seconds first_pause{5};
constexpr seconds longest_pause{600};
constexpr seconds longest_retry_after{3600};
constexpr seconds recent{600};
constexpr seconds shortest_loop_pause{60};
constexpr std::int64_t client_loop = 50196;  // Entra 2026-11: with 400 and invalid_grant

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

seconds share(seconds span, double part) {
    return seconds(static_cast<seconds::rep>(static_cast<double>(span.count()) * std::clamp(part, 0.0, 1.0)));
}

/// What a refusal with a well-formed error says about the grant.
Meaning meaning_of(std::string_view error, std::string_view suberror) {
    if (one_of(error, {"server_error", "temporarily_unavailable", "slow_down", "internal_failure"}))
        return Meaning::retry;
    // Entra: these can't be resolved by signing in.
    if (one_of(suberror, {"message_only", "additional_action", "client_mismatch", "protection_policy_required",
                          "device_authentication_failed"}))
        return Meaning::operator_must_act;
    if (one_of(error, {"invalid_grant", "interaction_required", "consent_required", "login_required"}))
        return Meaning::consent_needed;
    return Meaning::operator_must_act;
}

}  // namespace

Answer answer_of(const oauth2::Refusal& refusal) {
    Answer answer{.status = refusal.http_status, .error = refusal.error, .suberror = refusal.suberror};
    answer.retry_after = refusal.retry_after;
    const auto& codes = refusal.error_codes;
    answer.throttled = std::find(codes.begin(), codes.end(), client_loop) != codes.end();
    return answer;
}

Lifetime lifetime_of(WallTime asked_at, std::optional<seconds> expires_in, double spread) {
    const bool sensible = expires_in && expires_in->count() > 0;
    const seconds life = sensible ? std::min(*expires_in, longest_life) : unstated_life;
    const seconds least = std::min(margin, life * 2 / 9);
    const seconds ahead = least + share(least / 2, spread);
    return {.expires_at = asked_at + life, .refresh_at = asked_at + life - ahead};
}

seconds pause_after(std::uint32_t failures, double spread) {
    const auto doublings = std::min(failures > 0 ? failures - 1 : 0U, 7U);
    const seconds whole = std::min(first_pause * (1U << doublings), longest_pause);
    return whole - whole / 2 + share(whole / 2, spread);
}

Decision decision_of(const Answer& answer, std::uint32_t failures, double spread) {
    const bool refused = answer.status >= 400 && answer.status < 500 && answer.status != 429 && answer.status != 408;
    if (answer.status >= 200 && answer.status < 300 && answer.has_token)
        return {.meaning = Meaning::usable, .wait = {}};
    if (answer.retry_after) {
        const seconds asked = std::clamp(*answer.retry_after, seconds(1), longest_retry_after);
        return {.meaning = Meaning::retry, .wait = asked + share(asked / 4, spread)};
    }
    if (refused && answer.throttled) {
        const seconds least = shortest_loop_pause + share(shortest_loop_pause, spread);
        return {.meaning = Meaning::retry, .wait = std::max(least, pause_after(failures + 1, spread))};
    }
    const auto meaning = refused && !answer.error.empty() ? meaning_of(answer.error, answer.suberror) : Meaning::retry;
    switch (meaning) {
        case Meaning::retry:
            return {.meaning = meaning, .wait = pause_after(failures + 1, spread)};
        case Meaning::operator_must_act:
            return {.meaning = meaning, .wait = parked_for + share(parked_for, spread)};
        case Meaning::usable:
        case Meaning::consent_needed:
            break;
    }
    return {.meaning = meaning, .wait = {}};
}

Decision without_person(Decision decision, double spread) {
    if (decision.meaning != Meaning::consent_needed) return decision;
    return {.meaning = Meaning::operator_must_act, .wait = parked_for + share(parked_for, spread)};
}

Ruling ruling_on(const Refusal& refusal) {
    const bool accepted_lately = refusal.since_accepted && *refusal.since_accepted < recent;
    const bool refreshed_lately = refusal.since_forced_refresh && *refusal.since_forced_refresh < recent;
    if (refusal.can_refresh && !refreshed_lately) return Ruling::refresh;
    return accepted_lately ? Ruling::ignore : Ruling::park;
}

std::string_view words_of(Meaning meaning) noexcept {
    constexpr std::array<std::string_view, 4> words{"usable", "waiting", "consent needed", "operator must act"};
    return words[static_cast<std::size_t>(meaning)];
}

}  // namespace tokens
