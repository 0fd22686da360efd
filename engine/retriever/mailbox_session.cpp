#include "engine/retriever/mailbox_session.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/runtime/log.hpp"

namespace retriever {

Ended MailboxSession::failed(error_code error, const std::string& doing) {
    Ended ended;
    ended.reason = fmt::format("{} failed: {}", doing, error.message());
    return ended;
}

MailboxSession::MailboxSession(House house, store::MailboxNumber number, std::shared_ptr<const config::Mailbox> mailbox,
                               bool password, std::shared_ptr<const Place> place)
    : house_(house), mailbox_(std::move(mailbox)), password_(password), place_(std::move(place)) {
    state_.number = number;
    state_.id = mailbox_->id;
}

awaitable<void> MailboxSession::run() {
    while (!draining_) {
        if (!paused_.empty() || !fault_.empty()) {
            enter(paused_.empty() ? Phase::needs_help : Phase::paused, paused_.empty() ? fault_ : paused_);
            wake_.forget();
            co_await wake_.wait();
            continue;
        }
        auto ended = co_await serve();
        state_.caught_up = state_.caught_up && ended.how == Ended::How::token_expired;
        if (ended.how == Ended::How::drained || ended.how == Ended::How::told) continue;
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
        enter(next.phase, ended.reason);
        co_await nap(next.after);
        state_.next_attempt.reset();
    }
}

void MailboxSession::drain() {
    draining_ = true;
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
    if (state_.phase != Phase::idle) return;  // a pause that a server asked for is kept
    wake_dialogue();
    wake_.wake();
}

awaitable<std::optional<Ended>> MailboxSession::connect(const config::Host& host, Begun& begun) {
    enter(Phase::connecting);
    auto answer = co_await house_.tokens.token_for(mailbox_->credential);
    if (auto* none = std::get_if<tokens::NoToken>(&answer)) {
        Ended ended;
        ended.how = Ended::How::no_token;
        ended.reason = none->reason;
        ended.person_needed = none->person_needed;
        if (none->retry_at) {
            const auto until = *none->retry_at - house_.seams.timers.clock().wall();
            ended.pause =
                std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(until));
        }
        co_return ended;
    }
    net::Dial to;
    to.host = host.host;
    to.port = host.port;
    if (host.tls == config::Tls::starttls) to.security = net::Security::plain;
    to.tls = place_->tls;
    auto stream = co_await house_.seams.dialer.dial(std::move(to));
    if (!stream) co_return failed(stream.error(), fmt::format("connecting to {}:{}", host.host, host.port));
    begun.stream = std::move(*stream);
    begun.generation = std::get<tokens::Token>(answer).generation;
    begun.secret = std::move(std::get<tokens::Token>(answer).secret);
    co_return std::nullopt;
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
    ended.how = draining_ ? Ended::How::drained : Ended::How::told;
    return ended;
}

IntakeHouse MailboxSession::intake_house() const noexcept {
    return {house_.committer, house_.inbox,   house_.budget, house_.seams.timers.clock(),
            house_.counters,  house_.arrivals};
}

}  // namespace retriever
