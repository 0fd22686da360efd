#include "engine/dispatcher/settlement.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher {

using store::SubmissionState;
using submission::Fate;
using submission::Progress;

namespace {

/// Graver causes come first: one attempt has one effect.
bool graver(Cause one, Cause other) {
    const auto rank = [](Cause cause) {
        switch (cause) {
            case Cause::account:
                return 5;
            case Cause::mailbox:
                return 4;
            case Cause::exhausted:
                return 3;
            case Cause::throttled:
                return 2;
            case Cause::connection:
                return 1;
            default:
                return 0;
        }
    };
    return rank(one) > rank(other);
}

Step step_of(const smtp::Submission& answer, const smtp::Reply& decided) {
    if (&decided == &answer.sender) return Step::sender;
    if (&decided == &answer.body) return Step::body;
    return Step::recipient;
}

class Settling {
public:
    Settling(const store::Submission& submission, Progress progress, const Attempt& attempt)
        : submission_(submission),
          progress_(std::move(progress)),
          attempt_(attempt),
          was_in_doubt_(progress_.doubts > 0) {
        for (auto& fate : progress_.recipients) {  // an older doubt, which is over
            if (Progress::is_open(fate)) fate.state = Fate::State::waiting;
        }
        result_.outcome.attempts = submission.attempts;
    }

    Settlement result(store::Millis now, const SettlingRules& rules) {
        result_.outcome.at = now;
        if (attempt_.in_doubt) {
            in_doubt(now, rules);
        } else if (attempt_.broke) {
            blame({Cause::connection, std::chrono::milliseconds(0), false}, *attempt_.broke);
            wait(now, *attempt_.broke);
        } else {
            take_replies();
            conclude(now, rules);
        }
        result_.outcome.progress = encoded(progress_);
        return std::move(result_);
    }

private:
    void in_doubt(store::Millis now, const SettlingRules& rules) {
        ++progress_.doubts;
        progress_.looks = 0;
        // Recipients that were refused before the doubt began are out of it; a mail that left has one at least.
        for (std::size_t each = 0; each < attempt_.asked.size(); ++each) {
            const auto& replies = attempt_.answer.recipients;
            const auto place = attempt_.asked[each];
            auto& fate = progress_.recipients[place];
            if (each < replies.size() && replies[each].refused()) {
                fate = {Fate::State::waiting, replies[each].text()};
                if (judgement_of(Step::recipient, replies[each]).cause == Cause::refused)
                    fail(place, replies[each].text());
            } else {
                const bool accepted = each < replies.size() && replies[each].accepted();
                fate.state = accepted || attempt_.asked.size() == 1 ? Fate::State::in_doubt : Fate::State::unclear;
            }
        }
        result_.outcome.state = SubmissionState::in_doubt;
        result_.outcome.due = now + rules.first_look;
        result_.outcome.reason = fmt::format("{} may have taken it: {}", attempt_.server, attempt_.broke.value_or(""));
        blame({Cause::connection, std::chrono::milliseconds(0), false}, result_.outcome.reason);
    }

    void take_replies() {
        for (std::size_t each = 0; each < attempt_.asked.size(); ++each) {
            const auto place = attempt_.asked[each];
            if (attempt_.answer.obstacle) {
                fail(place,
                     fmt::format("{} cannot be given it: {}{}{}", attempt_.server, words_of(*attempt_.answer.obstacle),
                                 attempt_.unfit.empty() ? "" : "; it cannot be converted: ", attempt_.unfit));
                continue;
            }
            const smtp::Reply& decided = attempt_.answer.verdict_for(each);
            if (attempt_.answer.delivered_to(each)) {
                progress_.recipients[place] = {Fate::State::delivered, decided.text()};
                result_.delivered.push_back(place);
                continue;
            }
            const auto judgement = judgement_of(step_of(attempt_.answer, decided), decided);
            const std::string said = fmt::format("{} said: {}", attempt_.server, decided.text());
            if (judgement.cause == Cause::refused) {
                fail(place, decided.text());
            } else {
                progress_.recipients[place].said = decided.text();
                if (judgement.cause == Cause::deferred) deferred_ = true;
                if (judgement.cause == Cause::crowded) crowded_ = true;
                why_ = said;
                blame(judgement, said);
            }
        }
    }

    void conclude(store::Millis now, const SettlingRules& rules) {
        if (!result_.delivered.empty()) ++progress_.copies;
        if (crowded_ && result_.delivered.empty()) deferred_ = true;  // else the rest goes at once
        if (waiting() && deferred_ && result_.effect.cause == Cause::accepted) {
            ++result_.outcome.attempts;
            const bool old = now >= submission_.expires_at && result_.outcome.attempts >= rules.attempts_min;
            if (!old) {
                result_.outcome.due = now + retry_after(result_.outcome.attempts, rules.fraction);
                result_.outcome.reason = why_;
                return;
            }
            for (std::size_t place = 0; place < progress_.recipients.size(); ++place) {
                if (progress_.recipients[place].state == Fate::State::waiting)
                    fail(place, fmt::format("given up after {} attempts; the last: {}", result_.outcome.attempts,
                                            progress_.recipients[place].said));
            }
        }
        if (waiting()) {
            wait(now, why_);
            return;
        }
        const auto lost = std::find_if(progress_.recipients.begin(), progress_.recipients.end(),
                                       [](const Fate& fate) { return fate.state == Fate::State::failed; });
        const bool all_arrived = lost == progress_.recipients.end();
        result_.outcome.state = all_arrived ? SubmissionState::delivered : SubmissionState::failed;
        result_.outcome.reason = all_arrived ? fmt::format("{} said: {}", attempt_.server, last_said()) : lost->said;
    }

    /// Its turn comes again as soon as the account may send: no attempt of its own was made.
    void wait(store::Millis now, const std::string& why) {
        result_.outcome.state = SubmissionState::queued;
        result_.outcome.due = now;
        result_.outcome.reason = why;
    }

    /// A refusal says nothing of an attempt before it whose answer was never heard.
    void fail(std::size_t place, std::string said) {
        if (was_in_doubt_) said += "; an earlier attempt was in doubt, so it may have arrived all the same";
        progress_.recipients[place] = {Fate::State::failed, std::move(said)};
        result_.failed.push_back(place);
    }

    void blame(const Judgement& judgement, const std::string& reason) {
        if (!graver(judgement.cause, result_.effect.cause)) return;
        result_.effect = {judgement.cause, judgement.pause, judgement.fewer_connections, reason};
    }

    [[nodiscard]] bool waiting() const {
        return std::any_of(progress_.recipients.begin(), progress_.recipients.end(),
                           [](const Fate& fate) { return fate.state == Fate::State::waiting; });
    }
    [[nodiscard]] std::string last_said() const {
        return progress_.recipients.empty() ? std::string() : progress_.recipients.back().said;
    }

    const store::Submission& submission_;
    Progress progress_;
    const Attempt& attempt_;
    const bool was_in_doubt_;
    Settlement result_;
    bool deferred_ = false;
    bool crowded_ = false;
    std::string why_;
};

}  // namespace

Settlement settled(const store::Submission& submission, Progress progress, const Attempt& attempt, store::Millis now,
                   const SettlingRules& rules) {
    return Settling(submission, std::move(progress), attempt).result(now, rules);
}

LookingRules looking_rules(std::chrono::milliseconds settling) {
    LookingRules rules;
    rules.pauses = {settling, 3 * settling, 10 * settling};
    return rules;
}

namespace {

/// The mail has left. Whoever was put off in that attempt has not got it; of whom nothing was heard, nobody knows.
void found(Progress& progress, store::Outcome& outcome) {
    const auto count = [&progress](Fate::State state) {
        return std::count_if(progress.recipients.begin(), progress.recipients.end(),
                             [state](const Fate& fate) { return fate.state == state; });
    };
    const bool told_apart = count(Fate::State::in_doubt) + count(Fate::State::unclear) > 0;  // older records do not
    for (auto& fate : progress.recipients) {
        const bool has_it = fate.state == Fate::State::in_doubt || (!told_apart && fate.state == Fate::State::waiting);
        if (has_it) fate = {Fate::State::delivered, outcome.reason};
    }
    ++progress.copies;
    if (const auto unclear = count(Fate::State::unclear); unclear > 0) {
        outcome.state = SubmissionState::in_doubt;  // held: no due time
        outcome.reason =
            fmt::format("{}; whether {} of its recipients were accepted is not known: release or cancel it",
                        outcome.reason, unclear);
    } else if (count(Fate::State::waiting) > 0) {
        outcome.state = SubmissionState::queued;
        outcome.due = outcome.at;
    } else {
        outcome.state = count(Fate::State::failed) > 0 ? SubmissionState::failed : SubmissionState::delivered;
    }
}

}  // namespace

store::Outcome after_look(const store::Submission& submission, Progress progress, Sight sight, const std::string& why,
                          store::Millis now, const LookingRules& rules) {
    store::Outcome outcome;
    outcome.at = now;
    outcome.attempts = submission.attempts;
    outcome.reason = why;
    const bool may_go_again = progress.doubts < rules.doubts_max;
    switch (sight) {
        case Sight::found:
            found(progress, outcome);
            break;
        case Sight::not_found:
            ++progress.looks;
            if (progress.looks <= rules.pauses.size() - 1) {
                outcome.state = SubmissionState::in_doubt;
                outcome.due = now + rules.pauses[progress.looks];
            } else if (may_go_again) {
                outcome.state = SubmissionState::queued;
                outcome.due = now;
                outcome.reason = fmt::format("{}; it is sent once more", why);
            } else {
                outcome.state = SubmissionState::in_doubt;  // held: no due time
                outcome.reason =
                    fmt::format("{}; it was in doubt {} times and is held: release or cancel it", why, progress.doubts);
            }
            break;
        case Sight::no_sight:
            outcome.state = SubmissionState::in_doubt;
            if (rules.out_of_sight == OutOfSight::retry && may_go_again) {
                outcome.state = SubmissionState::queued;
                outcome.due = now;
                outcome.reason = fmt::format("{}; it is sent once more, as the mailbox's policy says", why);
            } else {
                outcome.reason = fmt::format("{}; whether it has left cannot be seen: release or cancel it", why);
            }
            break;
    }
    outcome.progress = encoded(progress);
    return outcome;
}

}  // namespace dispatcher
