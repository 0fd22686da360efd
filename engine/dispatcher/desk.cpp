#include "engine/dispatcher/desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/dispatcher/stored_body.hpp"
#include "engine/runtime/log.hpp"
#include "queue/retry.hpp"

namespace dispatcher {

using namespace std::chrono_literals;
using store::SubmissionState;

namespace {

constexpr auto first_park = std::chrono::milliseconds(1s);
constexpr auto longest_park = std::chrono::milliseconds(5min);
constexpr auto first_park_for_a_person = std::chrono::milliseconds(1min);
constexpr auto longest_park_for_a_person = std::chrono::milliseconds(15min);
constexpr auto another_connection_after = 10min;
constexpr std::size_t doubts_at_once = 64;

/// One that was counted, until it ends.
class OneOf {
public:
    explicit OneOf(std::size_t& count) : count_(count) {}
    ~OneOf() { --count_; }
    OneOf(const OneOf&) = delete;
    OneOf& operator=(const OneOf&) = delete;

private:
    std::size_t& count_;
};

std::chrono::milliseconds park_of(const Effect& effect, std::uint32_t failures, double fraction) {
    if (effect.pause > 0ms) {
        return effect.pause + std::chrono::milliseconds(
                                  static_cast<std::int64_t>(static_cast<double>(effect.pause.count()) * fraction / 4));
    }
    const bool person = effect.cause == Cause::account;
    queue::BackOff back_off{.first = person ? first_park_for_a_person : first_park,
                            .most = person ? longest_park_for_a_person : longest_park,
                            .survival = 0ms,
                            .failures = failures};
    return back_off.failed(0ms, fraction);
}

/// A fault of what we hold, not of the way: damaged bytes, or something no command can carry.
bool is_of_the_mail(error_code reason) {
    return reason.category() == store::category() || reason == smtp::errc::bad_address ||
           reason == smtp::errc::address_too_long || reason == smtp::errc::bad_envelope_id ||
           reason == smtp::errc::bad_original_recipient || reason == smtp::errc::no_recipients ||
           reason == smtp::errc::body_not_canonical || reason == smtp::errc::body_size_wrong;
}

std::string_view words_of(Cause cause) {
    switch (cause) {
        case Cause::account:
            return "account";
        case Cause::exhausted:
            return "quota";
        case Cause::throttled:
            return "throttled";
        default:
            return "connection";
    }
}

}  // namespace

void Desk::report(const std::string& name, const std::string& what) {
    spdlog::error("{} id=crashed reason={}", name, runtime::value(what));
}

store::Millis Desk::wall() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(house_.seams.timers.clock().wall());
}

Monotonic Desk::moment_of(store::Millis due, Monotonic now) const {
    return now + std::max(due - wall(), std::chrono::milliseconds(0));
}

void Desk::put(Sender sender) {
    const auto found = boxes_.find(sender.number);
    if (found == boxes_.end()) {
        const auto number = sender.number;
        const Pace pace(sender.pace);
        boxes_.emplace(number, Box{.sender = std::move(sender), .pace = pace});
        return;
    }
    found->second.pace.change(sender.pace);
    found->second.sender = std::move(sender);
    try_again();
}

void Desk::remove(store::MailboxNumber mailbox) { boxes_.erase(mailbox); }

void Desk::queued(store::MailboxNumber mailbox, store::Millis due) {
    const auto found = boxes_.find(mailbox);
    if (found == boxes_.end()) return;
    Box& box = found->second;
    box.backlog = box.due.has_value();
    box.due = box.due ? std::min(*box.due, due) : due;
    arrange();
}

void Desk::doubtful(store::MailboxNumber mailbox, store::Millis due) {
    const auto found = boxes_.find(mailbox);
    if (found == boxes_.end()) return;
    found->second.doubtful = found->second.doubtful ? std::min(*found->second.doubtful, due) : due;
    arrange();
}

void Desk::try_again() {
    parked_until_ = {};
    arrange();
}

void Desk::drain() {
    draining_ = true;
    timer_.disarm();
    for (auto& line : rested_) {
        scope_.spawn("line", say_good_bye(std::shared_ptr<Line>(std::move(line))));
    }
    rested_.clear();
}

awaitable<void> Desk::join() { co_await scope_.join(); }

std::uint32_t Desk::connections_max() const {
    std::uint32_t most = 1;
    for (const auto& [number, box] : boxes_) most = std::max(most, box.sender.connections);
    return most > fewer_by_ ? most - fewer_by_ : 1;
}

bool Desk::may_send() const { return !draining_ && parked_until_ <= house_.seams.timers.now(); }

bool Desk::sendable(const Box& box) const { return box.sender.paused.empty() && box.sender.fault.empty(); }

/// When the mailbox may hand over its next mail; only for one that has something to send.
Monotonic Desk::ready_at(const Box& box, Monotonic now) const {
    return std::max(moment_of(*box.due, now), box.pace.next(now, 1));
}

/// The mailbox whose turn it is; nullptr: nobody has something to send now.
Desk::Box* Desk::next_box() {
    const auto now = house_.seams.timers.now();
    auto at = boxes_.upper_bound(last_served_);
    for (std::size_t seen = 0; seen < boxes_.size(); ++seen, ++at) {
        if (at == boxes_.end()) at = boxes_.begin();
        Box& box = at->second;
        if (!sendable(box) || !box.due || ready_at(box, now) > now) continue;
        last_served_ = at->first;
        return &box;
    }
    return nullptr;
}

/// Sees to it that as many work as there is work for, and that the desk wakes up when more is due.
void Desk::arrange() {
    if (draining_) return;
    const auto now = house_.seams.timers.now();
    if (fewer_by_ > 0 && now - fewer_since_ >= another_connection_after) {
        --fewer_by_;
        fewer_since_ = now;
    }
    dismiss_rested();
    std::optional<Monotonic> next;
    const auto soonest = [&next](Monotonic when) { next = next ? std::min(*next, when) : when; };
    if (!rested_.empty()) soonest(rested_.front()->resting_since + house_.rest);
    std::size_t wanted = 0;
    bool doubts = false;
    for (const auto& [number, box] : boxes_) {
        if (!sendable(box)) continue;
        if (box.due) {
            const auto ready = std::max(ready_at(box, now), parked_until_);
            if (ready > now)
                soonest(ready);
            else
                wanted += box.backlog ? box.sender.connections : 1;
        }
        if (box.doubtful) {
            const auto ready = std::max(moment_of(*box.doubtful, now), parked_until_);
            if (ready > now)
                soonest(ready);
            else
                doubts = true;
        }
    }
    wanted = std::min<std::size_t>(wanted, connections_max());
    // Counted before: a worker that another one has left nothing for ends within spawn().
    for (std::size_t more = wanted > workers_ ? wanted - workers_ : 0; more > 0; --more) {
        ++workers_;
        scope_.spawn("dispatcher", work());
    }
    if (doubts && !looking_) {
        looking_ = true;
        scope_.spawn("sent-items", look());
    }
    if (next) timer_.arm(*next);
}

/// Hands mail over on one line until there is none left, the pace says wait, or the account is parked.
awaitable<void> Desk::work() {
    const OneOf at_work(workers_);
    std::unique_ptr<Line> line;
    std::optional<Owed> owed;
    for (;;) {
        Box* box = may_send() ? next_box() : nullptr;
        if (box == nullptr && !owed) break;
        if (box != nullptr && line == nullptr && !owed) {
            line = co_await line_for(box->sender);
            if (line == nullptr) break;
            continue;  // much may have changed meanwhile
        }
        SendingWork exchange;
        exchange.now = wall();
        exchange.reporter = house_.sizes.greeting_name;
        exchange.owed = std::exchange(owed, std::nullopt);
        const auto debtor = exchange.owed ? exchange.owed->submission.mailbox : 0;
        exchange.has_consumer = debtor != 0 && house_.has_consumer && house_.has_consumer(debtor);
        if (box != nullptr && line != nullptr) {
            exchange.take = box->sender.number;
            box->pace.count(house_.seams.timers.now(), 0);
            box->due.reset();  // what is due is known again with the answer; others do not take it for theirs
        }
        const auto number = exchange.take;
        const auto debt = exchange.owed ? exchange.owed->settlement.outcome : store::Outcome{};
        std::optional<Owed> unpaid = exchange.owed;
        auto got = co_await house_.committer.run(house_.inbox, std::move(exchange));
        if (!got &&
            got.error() == store::errc::disk_full) {  // what became of the mail is told as soon as there is room
            owed = std::move(unpaid);
            if (const auto here = boxes_.find(number); here != boxes_.end()) {
                here->second.due = wall();
                here->second.pace.give_back();
            }
            co_await house_.seams.timers.sleep_for(1s);
            continue;
        }
        if (!got) {
            spdlog::error("mailbox={} id=store_error reason={}", number, runtime::value(got.error().message()));
            break;
        }
        if (got->bounced && house_.bounced) house_.bounced(debtor);
        if (debtor != 0 && debt.due) {
            if (debt.state == SubmissionState::queued) queued(debtor, *debt.due);
            if (debt.state == SubmissionState::in_doubt) doubtful(debtor, *debt.due);
        }
        if (number == 0) continue;
        const auto here = boxes_.find(number);
        if (here != boxes_.end()) {
            Box& mailbox = here->second;
            if (got->due.queued)
                mailbox.due = mailbox.due ? std::min(*mailbox.due, *got->due.queued) : *got->due.queued;
            mailbox.doubtful = got->due.doubtful;
            mailbox.backlog = got->due.queued && *got->due.queued <= wall();
        }
        if (!got->submission) {
            if (here != boxes_.end()) here->second.pace.give_back();
            continue;
        }
        if (here != boxes_.end() && here->second.backlog) arrange();
        owed = co_await send(*line, std::move(*got->submission));
        if (!line->client().usable()) line.reset();
    }
    if (line != nullptr && !draining_) {
        line->resting_since = house_.seams.timers.now();
        rested_.push_back(std::move(line));
    } else if (line != nullptr) {
        co_await say_good_bye(std::shared_ptr<Line>(std::move(line)));
    }
    // The next arrangement comes from the loop, when this worker no longer counts.
    timer_.arm(house_.seams.timers.now());
}

/// A line that rested and is still good, or a new one; nullptr: the account is parked now.
awaitable<std::unique_ptr<Line>> Desk::line_for(Sender sender) {
    while (!rested_.empty()) {
        auto line = std::move(rested_.back());
        rested_.pop_back();
        auto good = co_await line->client().check_idle();
        if (good) co_return line;
        spdlog::debug("mailbox={} line={} rested={}", sender.id, line->server(),
                      runtime::value(good.error().message()));
    }
    const Line::Uses uses{house_.seams, house_.tokens, house_.sizes};
    auto opened = co_await Line::open(uses, std::move(sender));
    if (opened.line == nullptr) suffer(opened.why);
    co_return std::move(opened.line);
}

/// One attempt. What it made of the mail is owed to the store.
awaitable<Owed> Desk::send(Line& line, store::Submission submission) {
    Owed owed;
    owed.submission = std::move(submission);
    const auto& row = owed.submission;
    auto ticket = submission::ticket_from(row.envelope);
    auto progress = ticket ? submission::progress_from(row.progress, ticket->envelope.recipients.size()) : std::nullopt;
    if (!progress) {
        owed.settlement.outcome = {.state = SubmissionState::held,
                                   .due = std::nullopt,
                                   .attempts = row.attempts,
                                   .at = wall(),
                                   .progress = row.progress,
                                   .reason = "what the store keeps of this submission cannot be read"};
        spdlog::error("submission={} id=unreadable_submission", row.id);
        co_return owed;
    }
    owed.ticket = std::move(*ticket);
    Attempt attempt;
    attempt.server = line.server();
    smtp::Envelope envelope = owed.ticket.envelope;
    envelope.recipients.clear();
    for (std::size_t place = 0; place < progress->recipients.size(); ++place) {
        if (progress->recipients[place].state != submission::Fate::State::waiting) continue;
        attempt.asked.push_back(place);
        envelope.recipients.push_back(owed.ticket.envelope.recipients[place]);
    }
    if (const auto box = boxes_.find(row.mailbox); box != boxes_.end()) {
        box->second.pace.add_recipients(house_.seams.timers.now(), static_cast<std::uint32_t>(attempt.asked.size()));
    }
    StoredBody body(house_.bodies, row.body);
    auto answer = co_await line.client().submit(envelope, body);
    if (!answer && is_of_the_mail(answer.error())) {  // trying again would not help, and nobody else is to wait for it
        owed.settlement.outcome = {.state = SubmissionState::held,
                                   .due = std::nullopt,
                                   .attempts = row.attempts,
                                   .at = wall(),
                                   .progress = row.progress,
                                   .reason = answer.error().message()};
        spdlog::error("submission={} id=cannot_be_sent reason={}", row.id, runtime::value(answer.error().message()));
        co_return owed;
    }
    if (answer) {
        attempt.answer = std::move(*answer);
    } else {
        attempt.answer = line.client().submission();
        attempt.broke = answer.error().message();
        if (line.client().farewell().came()) attempt.broke = line.client().farewell().text();
        attempt.in_doubt = line.client().in_doubt();
    }
    SettlingRules rules = house_.settling;
    rules.fraction = house_.seams.random.fraction();
    owed.settlement = settled(row, std::move(*progress), attempt, wall(), rules);
    if (answer || owed.settlement.effect.cause == Cause::accepted) recover();
    suffer(owed.settlement.effect);
    const auto& outcome = owed.settlement.outcome;
    spdlog::info("submission={} mailbox={} state={} recipients={} attempts={} server={} said={}", row.id, row.mailbox,
                 static_cast<int>(outcome.state), attempt.asked.size(), outcome.attempts, attempt.server,
                 runtime::value(outcome.reason));
    co_return owed;
}

/// A fault of the account or of the way: nothing is handed over for a while.
void Desk::suffer(const Effect& effect) {
    if (effect.cause == Cause::accepted || effect.cause == Cause::crowded || effect.cause == Cause::deferred ||
        effect.cause == Cause::refused)
        return;
    const auto now = house_.seams.timers.now();
    if (effect.fewer_connections) {
        if (connections_max() > 1) ++fewer_by_;
        fewer_since_ = now;
    }
    const auto pause = park_of(effect, failures_, house_.seams.random.fraction());
    if (parked_until_ <= now) ++failures_;  // lines that are lost together are one failure
    parked_until_ = std::max(parked_until_, now + pause);
    parked_for_ = effect;
    spdlog::warn("desk={} id=parked cause={} pause_ms={} reason={}",
                 boxes_.empty() ? "" : boxes_.begin()->second.sender.login, words_of(effect.cause), pause.count(),
                 runtime::value(effect.reason));
}

/// The account works.
void Desk::recover() {
    if (parked_until_ > house_.seams.timers.now()) return;  // another line has met with something since
    failures_ = 0;
    parked_for_ = {};
}

void Desk::dismiss_rested() {
    const auto now = house_.seams.timers.now();
    while (!rested_.empty() && now - rested_.front()->resting_since >= house_.rest) {
        scope_.spawn("line", say_good_bye(std::shared_ptr<Line>(std::move(rested_.front()))));
        rested_.pop_front();
    }
}

awaitable<void> Desk::say_good_bye(std::shared_ptr<Line> line) {
    auto said = co_await line->client().quit();
    static_cast<void>(said);
}

namespace {

/// Takes what is in doubt and due.
struct TakeDoubtful {
    store::MailboxNumber mailbox = 0;
    store::Millis now{};
    struct Got {
        std::vector<store::Submission> submissions;
        store::Outbox::Due due;
    };
    Result<Got> operator()(store::Workbench bench) const {
        auto taken = bench.store.outbox().take_doubtful(mailbox, now, doubts_at_once);
        if (!taken) return taken.error();
        const auto due = bench.store.outbox().due_of(mailbox);
        if (!due) return due.error();
        return Got{std::move(*taken), *due};
    }
};

struct SettleDoubtful {
    std::vector<Owed> owed;
    store::Millis now{};
    Result<store::Outbox::Due> operator()(store::Workbench bench) const {
        for (const auto& one : owed) {
            SendingWork work;
            work.owed = one;
            work.now = now;
            const auto done = work(bench);
            if (!done) return done.error();
        }
        return bench.store.outbox().due_of(owed.front().submission.mailbox);
    }
};

}  // namespace

/// Looks for what may have arrived, one mailbox after the other.
awaitable<void> Desk::look() {
    const std::shared_ptr<bool> ended(&looking_, [](bool* looking) { *looking = false; });
    for (;;) {
        const auto found = std::find_if(boxes_.begin(), boxes_.end(), [this](const auto& entry) {
            return sendable(entry.second) && entry.second.doubtful && *entry.second.doubtful <= wall();
        });
        if (found == boxes_.end() || !may_send()) break;
        const Sender sender = found->second.sender;
        found->second.doubtful.reset();
        TakeDoubtful take{sender.number, wall()};
        auto taken = co_await house_.committer.run(house_.inbox, std::move(take));
        if (!taken) break;
        std::vector<Trace> traces;
        std::vector<Owed> owed;
        for (auto& one : taken->submissions) {
            Owed debt;
            auto ticket = submission::ticket_from(one.envelope);
            if (ticket) debt.ticket = std::move(*ticket);
            debt.submission = std::move(one);
            traces.push_back({debt.ticket.message_id, debt.ticket.mark});
            owed.push_back(std::move(debt));
        }
        if (owed.empty()) {
            if (taken->due.doubtful) doubtful(sender.number, *taken->due.doubtful);
            continue;
        }
        auto looked = co_await look_into_sent_items(house_.seams, house_.tokens, sender, std::move(traces));
        LookingRules rules = house_.looking;
        rules.out_of_sight = sender.out_of_sight;
        for (std::size_t each = 0; each < owed.size(); ++each) {
            const auto& row = owed[each].submission;
            auto progress = submission::progress_from(row.progress, owed[each].ticket.envelope.recipients.size());
            auto& outcome = owed[each].settlement.outcome;
            if (looked[each].sight && progress) {
                outcome = after_look(row, std::move(*progress), *looked[each].sight, looked[each].why, wall(), rules);
            } else {  // the look failed: another in a while
                outcome = {.state = SubmissionState::in_doubt,
                           .due = wall() + rules.pauses.back(),
                           .attempts = row.attempts,
                           .at = wall(),
                           .progress = row.progress,
                           .reason = looked[each].why};
            }
            spdlog::info("submission={} mailbox={} doubt={} said={}", row.id, sender.id,
                         static_cast<int>(outcome.state), runtime::value(outcome.reason));
        }
        SettleDoubtful settle{std::move(owed), wall()};
        auto due = co_await house_.committer.run(house_.inbox, std::move(settle));
        if (!due) break;
        if (due->queued) queued(sender.number, *due->queued);
        if (due->doubtful) doubtful(sender.number, *due->doubtful);
    }
    timer_.arm(house_.seams.timers.now() + 1s);
}

std::vector<SenderState> Desk::states() const {
    std::vector<SenderState> states;
    const auto now = house_.seams.timers.now();
    const auto when = [&](Monotonic moment) {
        return house_.seams.timers.clock().wall() + std::chrono::duration_cast<WallTime::duration>(moment - now);
    };
    for (const auto& [number, box] : boxes_) {
        SenderState state{.number = number,
                          .id = box.sender.id,
                          .phase = "idle",
                          .reason = "",
                          .until = std::nullopt,
                          .connections = workers_ + rested_.size(),
                          .recipients_today = box.pace.recipients_today(now)};
        if (!box.sender.fault.empty()) {
            state.phase = "cannot send";
            state.reason = box.sender.fault;
        } else if (!box.sender.paused.empty()) {
            state.phase = "suspended";
            state.reason = box.sender.paused;
        } else if (parked_until_ > now) {
            state.phase = "parked";
            state.reason = parked_for_.reason;
            state.until = when(parked_until_);
        } else if (box.due && ready_at(box, now) > now) {
            state.phase = "pacing";
            state.until = when(ready_at(box, now));
        } else if (workers_ > 0) {
            state.phase = "sending";
        }
        states.push_back(std::move(state));
    }
    return states;
}

}  // namespace dispatcher
