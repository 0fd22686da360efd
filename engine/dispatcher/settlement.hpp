#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/dispatcher/verdict.hpp"
#include "engine/submission/record.hpp"
#include "protocols/smtp/client.hpp"
#include "queue/store/outbox.hpp"

/// What an attempt makes of a submission and of its account. Pure.
namespace dispatcher {

/// Facts of one attempt to send.
struct Attempt {
    std::vector<std::size_t> asked;      // recipients of this attempt, as places in the ticket
    smtp::Submission answer{};           // replies, as far as they came
    std::optional<std::string> broke{};  // why the connection ended in the midst of it
    bool in_doubt = false;               // then the mail may have been taken
    std::string server{};                // "smtp.example:587", for people
    std::string unfit{};                 // why the mail could not be made what the server takes; empty: not tried
};

/// What the account or the way to it suffers from. Not for a message to answer for.
struct Effect {
    Cause cause = Cause::accepted;  // accepted: all is well
    std::chrono::milliseconds pause{0};
    bool fewer_connections = false;
    std::string reason{};
};

struct Settlement {
    store::Outcome outcome{};
    Effect effect{};
    std::vector<std::size_t> delivered{};  // recipients that this attempt reached
    std::vector<std::size_t> failed{};     // that it lost for good: they go into a bounce
};

struct SettlingRules {
    std::chrono::milliseconds first_look{60'000};  // after an attempt that ended in doubt: the provider's settling time
    std::uint32_t attempts_min = 3;                // before age alone makes a message fail
    double fraction = 0.5;                         // in [0, 1): spreads what follows
};

Settlement settled(const store::Submission& submission, submission::Progress progress, const Attempt& attempt,
                   store::Millis now, const SettlingRules& rules);

/// What a look for a message that may have arrived has brought.
enum class Sight { found, not_found, no_sight };
/// What becomes of a submission in doubt when its Sent Items cannot be seen.
enum class OutOfSight { hold, retry };

struct LookingRules {
    std::vector<std::chrono::milliseconds> pauses{std::chrono::seconds(60), std::chrono::minutes(3),
                                                  std::chrono::minutes(10)};  // between looks
    std::uint32_t doubts_max = 2;  // attempts that may end in doubt before a person has to decide
    OutOfSight out_of_sight = OutOfSight::hold;
};
/// For a provider that shows what it has taken within `settling`.
LookingRules looking_rules(std::chrono::milliseconds settling);
/// `why`: what the look met, for people.
store::Outcome after_look(const store::Submission& submission, submission::Progress progress, Sight sight,
                          const std::string& why, store::Millis now, const LookingRules& rules);

}  // namespace dispatcher
