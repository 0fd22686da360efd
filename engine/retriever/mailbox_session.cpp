#include "engine/retriever/mailbox_session.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

#include "engine/runtime/log.hpp"

namespace retriever {

Ended MailboxSession::failed(error_code error, const std::string& doing) {
    Ended ended;
    ended.reason = fmt::format("{} failed: {}", doing, error.message());
    return ended;
}

MailboxSession::MailboxSession(House house, const Served& served, SessionBudget::Kind kind)
    : house_(house),
      mailbox_(served.mailbox),
      password_(served.password),
      place_(served.place),
      seat_(house.sessions, house.inbox, served.shares, kind, [this] { called(); }) {
    state_.number = served.number;
    state_.id = mailbox_->id;
}

awaitable<void> MailboxSession::run() {
    while (!draining_) {
        if (!paused_.empty() || !fault_.empty()) {
            co_await dismiss();
            if (paused_.empty() && fault_.empty()) continue;
            if (draining_) break;
            enter(paused_.empty() ? Phase::needs_help : Phase::paused, paused_.empty() ? fault_ : paused_);
            wake_.forget();
            co_await wake_.wait();
            continue;
        }
        leaving_ = false;
        auto ended = co_await serve();
        seat_.leave();
        const bool at_rest = ended.how == Ended::How::gave_way && state_.phase == Phase::idle;
        state_.caught_up = state_.caught_up && (ended.how == Ended::How::token_expired || at_rest);
        const bool lost = ended.how == Ended::How::token_expired || ended.how == Ended::How::connection;
        if (!lost) co_await dismiss();
        if (ended.how == Ended::How::drained || ended.how == Ended::How::told) continue;
        if (ended.how == Ended::How::gave_way) {
            co_await wait_for_next_visit();
            continue;
        }
        const auto next = next_after(ended, state_.failures, house_.seams.random.fraction());
        state_.failures = next.failures;
        if (ended.how == Ended::How::token_expired) {
            spdlog::info("mailbox={} session ended with its token, next_ms={}", mailbox_->id, next.after.count());
        } else {
            house_.counters.session_errors.fetch_add(1, std::memory_order_relaxed);
            spdlog::warn("mailbox={} state={} next_ms={} reason={}", mailbox_->id, runtime::value(word_of(next.phase)),
                         next.after.count(), runtime::value(ended.reason));
        }
        state_.next_attempt = house_.seams.timers.clock().wall() + next.after;
        if (ended.how == Ended::How::throttled) {
            seat_.hold(house_.seams.timers.now() + next.after);
            ended.reason = fmt::format("throttled until {:%H:%M} UTC: {}",
                                       std::chrono::floor<std::chrono::minutes>(*state_.next_attempt), ended.reason);
        }
        enter(next.phase, ended.reason);
        co_await nap(next.after);
        state_.next_attempt.reset();
    }
    co_await dismiss();
}

/// Others have the place. Mail that came makes the next visit come sooner.
awaitable<void> MailboxSession::wait_for_next_visit() {
    const auto limits = visit_limits(house_.options.poll_interval);
    const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.seams.timers.clock().wall());
    const bool busy = state_.stored > stored_before_ || !state_.caught_up;
    const auto found = busy ? Found::mail : Found::nothing;
    visits_ = next_visit(visits_, found, now, now, std::nullopt, limits, house_.seams.random.fraction());
    stored_before_ = state_.stored;
    const auto span = state_.caught_up ? visits_->due - now : std::chrono::milliseconds(0);
    if (span.count() <= 0) co_return;  // it was not finished: in line again
    state_.next_attempt = now + span;
    enter(Phase::scheduled, "others wait for its place: visited in turn");
    asked_ = false;
    const auto early = house_.seams.timers.now() + std::min<std::chrono::milliseconds>(limits.shortest, span);
    const bool slept = co_await nap(span);
    const auto now_left = early - house_.seams.timers.now();
    if (!slept && !take_asked() && !told_to_stop() && now_left.count() > 0)  // it rang
        co_await nap(std::chrono::ceil<std::chrono::milliseconds>(now_left));
    state_.next_attempt.reset();
}

/// On the shard: the turn has come, or others wait for the place.
void MailboxSession::called() {
    if (in_line_) return wake_.wake();
    if (!seat_.wanted()) return;
    leaving_ = true;
    wake_dialogue();
    if (state_.phase == Phase::idle) wake_.wake();
}

void MailboxSession::drain() {
    draining_ = true;
    leaving_ = true;
    resume();
}

void MailboxSession::pause(std::string reason) {
    paused_ = std::move(reason);
    wake_dialogue();
    wake_.wake();
}

void MailboxSession::resume() {
    if (!draining_) paused_.clear();
    asked_ = true;
    wake_dialogue();
    wake_.wake();
}

void MailboxSession::rung() {
    rung_ = true;
    // A pause that a server asked for is kept.
    if (state_.phase != Phase::idle && state_.phase != Phase::scheduled) return;
    wake_dialogue();
    wake_.wake();
}

awaitable<void> MailboxSession::take_seat() {
    in_line_ = true;
    while (!told_to_stop() && !seat_.take()) {
        enter(Phase::starting, seat_.obstacle());
        co_await nap(press_again);
    }
    in_line_ = false;
}

awaitable<std::optional<Ended>> MailboxSession::connect(const config::Host& host, Begun& begun) {
    enter(Phase::connecting);
    auto hindered = co_await reach(house_.seams, house_.tokens, *mailbox_, *place_, host, begun);
    co_return hindered;
}

void MailboxSession::logged_in(const Begun& begun) {
    logged_in_at_ = house_.seams.timers.now();
    refusals_ = 0;
    house_.counters.logins.fetch_add(1, std::memory_order_relaxed);
    if (!password_) house_.tokens.accepted(mailbox_->credential, begun.generation);
}

/// A refused token is reported once: the next session gets a fresh one. Refused again, a person has to look.
Ended MailboxSession::login_refused(Ended ended, const Begun& begun) {
    house_.counters.login_refusals.fetch_add(1, std::memory_order_relaxed);
    if (ended.how != Ended::How::login_refused && ended.how != Ended::How::token_expired) return ended;
    ended.how = Ended::How::login_refused;
    ++refusals_;
    if (!password_) house_.tokens.rejected(mailbox_->credential, begun.generation);
    ended.person_needed = password_ || refusals_ > 1;
    return ended;
}

void MailboxSession::token_expired(const Begun& begun) {
    if (!password_) house_.tokens.expired(mailbox_->credential, begun.generation);
}

void MailboxSession::show_last_lines(const Ended& ended, const std::vector<std::string>& lines) const {
    if (ended.how == Ended::How::drained || ended.how == Ended::How::token_expired) return;
    for (const auto& line : lines) spdlog::debug("mailbox={} line={}", mailbox_->id, runtime::value(line));
}

/// True when it slept to the end, false when it was woken.
awaitable<bool> MailboxSession::nap(std::chrono::milliseconds span) {
    wake_.forget();
    const auto due = house_.seams.timers.now() + span;
    Timer timer(
        house_.seams.timers, [](void* parking) { static_cast<Parking*>(parking)->wake(); }, &wake_);
    timer.arm(due);
    co_await wake_.wait();
    co_return house_.seams.timers.now() >= due;
}

AuditDue MailboxSession::take_audit_due() {
    const bool connected_anew = std::exchange(audit_of_, logged_in_at_) != logged_in_at_;
    const bool asked = house_.board.audit_asked(mailbox_->id);
    const auto last = state_.audit ? std::optional(state_.audit->at) : std::nullopt;
    if (asked) return AuditDue::all;
    return audit_due(mailbox_->id, house_.seams.timers.clock().wall(), last, connected_anew);
}

awaitable<std::optional<Ended>> MailboxSession::finish_audit(runtime::Audit audit) {
    constexpr std::size_t counted_max = 10'000;
    auto look_up = [mailbox = state_.number](store::Workbench bench) {
        return bench.store.all_set_aside(mailbox, counted_max);
    };
    auto rows = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!rows) {
        Ended ended;
        ended.how = Ended::How::store;
        ended.reason = fmt::format("the audit cannot be completed: {}", rows.error().message());
        co_return ended;
    }
    audit.set_aside = rows->size();
    audit.at = house_.seams.timers.clock().wall();
    if (audit.found > 0) {
        spdlog::warn("mailbox={} id=audit-repaired found={} unknown={}", mailbox_->id, audit.found, audit.unknown());
    }
    house_.board.audited(mailbox_->id);
    state_.audit = std::make_shared<const runtime::Audit>(std::move(audit));
    co_return std::nullopt;
}

void MailboxSession::enter(Phase phase, std::string reason) {
    state_.phase = phase;
    state_.reason = std::move(reason);
    house_.board.put(state_);
}

Ended MailboxSession::stopped() const {
    Ended ended;
    ended.how = Ended::How::gave_way;
    if (!paused_.empty()) ended.how = Ended::How::told;
    if (draining_) ended.how = Ended::How::drained;
    return ended;
}

IntakeHouse MailboxSession::intake_house() const noexcept {
    return {house_.committer, house_.inbox,   house_.budget, house_.seams.timers.clock(),
            house_.counters,  house_.arrivals};
}

}  // namespace retriever
