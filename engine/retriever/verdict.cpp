#include "engine/retriever/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "protocols/imap/errc.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr auto first_delay = 1000ms;
constexpr auto longest_delay = std::chrono::milliseconds(5min);
constexpr auto longest_pause_obeyed = std::chrono::milliseconds(30min);
constexpr auto person_delay_first = std::chrono::milliseconds(1min);
constexpr auto person_delay_longest = std::chrono::milliseconds(15min);
constexpr auto proven_survival = std::chrono::milliseconds(1min);

std::chrono::milliseconds doubled(std::chrono::milliseconds first, std::chrono::milliseconds longest,
                                  std::uint32_t failures, double fraction) {
    const double factor = std::ldexp(1.0, static_cast<int>(std::min<std::uint32_t>(failures, 20)));
    const double base = std::min(static_cast<double>(first.count()) * factor, static_cast<double>(longest.count()));
    return std::chrono::milliseconds(static_cast<std::int64_t>(base * (0.5 + fraction)));  // 50 % to 150 %
}

std::chrono::milliseconds spread(std::chrono::milliseconds pause, double fraction) {
    return pause +
           std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(pause.count()) * fraction / 4));
}

}  // namespace

Next next_after(const Ended& ended, std::uint32_t failures, double fraction) {
    Next next;
    if (ended.survived >= proven_survival) failures = 0;
    switch (ended.how) {
        case Ended::How::drained:
        case Ended::How::told:
        case Ended::How::gave_way:
            next.failures = failures;
            return next;
        case Ended::How::token_expired:
            // Many sessions end together: a second's spread, and a loop of them is a failure like any other.
            next.after = ended.survived >= proven_survival
                             ? std::chrono::milliseconds(static_cast<std::int64_t>(fraction * 1000))
                             : doubled(first_delay, longest_delay, failures, fraction);
            next.failures = ended.survived >= proven_survival ? 0 : failures + 1;
            return next;
        case Ended::How::throttled:
        case Ended::How::no_token:
        case Ended::How::connection:
        case Ended::How::store:
        case Ended::How::login_refused:
        case Ended::How::folder:
            break;
    }
    next.phase = ended.person_needed ? Phase::needs_help : Phase::waiting;
    next.failures = failures + 1;
    if (ended.pause > 0ms) {
        next.after = spread(std::min(ended.pause, longest_pause_obeyed), fraction);
    } else if (ended.person_needed) {
        next.after = doubled(person_delay_first, person_delay_longest, failures, fraction);
    } else {
        next.after = doubled(first_delay, longest_delay, failures, fraction);
    }
    return next;
}

namespace {

/// What the server's words make of an ending; false when they say nothing special.
bool apply_hint(std::string_view words, Ended& ended) {
    const auto hint = imap::hint_of(words);
    switch (hint.kind) {
        case imap::Hint::Kind::none:
            return false;
        case imap::Hint::Kind::token_expired:
            ended.how = Ended::How::token_expired;
            return true;
        case imap::Hint::Kind::throttled:
            ended.how = Ended::How::throttled;
            ended.pause = std::chrono::milliseconds(hint.back_off_ms.value_or(60'000));
            return true;
        case imap::Hint::Kind::over_quota:
            ended.how = Ended::How::throttled;
            ended.pause = 30min;
            return true;
        case imap::Hint::Kind::too_many_connections:
            ended.how = Ended::How::throttled;
            ended.pause = 2min;
            return true;
        case imap::Hint::Kind::not_connected:  // no right to the mailbox, or too many connections: both call for
                                               // patience
            ended.how = Ended::How::folder;
            ended.pause = 1min;
            ended.person_needed = true;
            return true;
        case imap::Hint::Kind::unavailable:
            ended.how = Ended::How::connection;
            return true;
    }
    return false;
}

}  // namespace

Ended ended_by(error_code error, const std::string& bye) {
    Ended ended;
    if (error == imap::errc::bye) {
        ended.reason = fmt::format("the server ended the session: {}", bye);
        apply_hint(bye, ended);
        return ended;
    }
    ended.reason = bye.empty() ? error.message() : fmt::format("{}; the server had said: {}", error.message(), bye);
    if (!bye.empty()) apply_hint(bye, ended);
    return ended;
}

Ended ended_by(const imap::Answer& refusal, Ended::How how, const std::string& doing) {
    Ended ended;
    ended.how = how;
    ended.reason = fmt::format("{} was refused: {}{}{}", doing, refusal.code.empty() ? "" : "[" + refusal.code + "] ",
                               refusal.text, refusal.status == imap::Status::bad ? " (BAD)" : "");
    apply_hint(refusal.code + " " + refusal.text, ended);
    return ended;
}

namespace {

void apply_hint(const pop3::Hint& hint, Ended& ended) {
    switch (hint.kind) {
        case pop3::Hint::Kind::none:
            return;
        case pop3::Hint::Kind::credentials:
            ended.how = Ended::How::login_refused;
            return;
        case pop3::Hint::Kind::token_expired:
            ended.how = Ended::How::token_expired;
            return;
        case pop3::Hint::Kind::in_use:  // our own last session, or another program's
            ended.how = Ended::How::connection;
            ended.pause = 1min;
            return;
        case pop3::Hint::Kind::login_delay:  // concerns this mailbox alone, not its credential
            ended.how = Ended::How::connection;
            ended.pause = 5min;
            return;
        case pop3::Hint::Kind::throttled:
            ended.how = Ended::How::throttled;
            ended.pause = std::chrono::milliseconds(hint.back_off_ms.value_or(60'000));
            return;
        case pop3::Hint::Kind::too_many_connections:
            ended.how = Ended::How::throttled;
            ended.pause = 2min;
            return;
        case pop3::Hint::Kind::temporary:
            ended.how = Ended::How::connection;
            return;
        case pop3::Hint::Kind::permanent:
            ended.how = Ended::How::folder;
            ended.person_needed = true;
            return;
    }
}

}  // namespace

Ended ended_by(const pop3::Answer& refusal, Ended::How how, const std::string& doing) {
    Ended ended;
    ended.how = how;
    ended.reason = fmt::format("{} was refused: {}{}{}", doing, refusal.code.empty() ? "" : "[" + refusal.code + "] ",
                               refusal.text, refusal.challenge.empty() ? "" : " (" + refusal.challenge + ")");
    apply_hint(pop3::hint_of(refusal), ended);
    return ended;
}

}  // namespace retriever
