// How a desk hands mail over.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/dispatcher/desk.hpp"
#include "engine/dispatcher/seven_bit_body.hpp"
#include "engine/dispatcher/stored_body.hpp"
#include "engine/runtime/log.hpp"

namespace dispatcher {

using namespace std::chrono_literals;
using store::SubmissionState;

namespace {

constexpr auto until_there_is_room = 1s;
constexpr auto after_store_error = 1min;

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

/// A fault of what we hold, not of the way: damaged bytes, or something no command can carry.
bool is_of_the_mail(error_code reason) {
    return reason.category() == store::category() || reason == smtp::errc::bad_address ||
           reason == smtp::errc::address_too_long || reason == smtp::errc::bad_envelope_id ||
           reason == smtp::errc::bad_original_recipient || reason == smtp::errc::no_recipients ||
           reason == smtp::errc::body_not_canonical || reason == smtp::errc::body_size_wrong;
}

store::Outcome held(const store::Submission& row, store::Millis now, std::string reason) {
    return {.state = SubmissionState::held,
            .due = std::nullopt,
            .attempts = row.attempts,
            .at = now,
            .progress = row.progress,
            .reason = std::move(reason)};
}

}  // namespace

/// What the store is asked next: what became of the last mail, and the next one of a mailbox (nullptr: nobody's).
SendingWork Desk::exchange_for(Box* box, std::shared_ptr<const Owed> owed) {
    SendingWork exchange;
    exchange.now = house_.wall();
    exchange.reporter = house_.sizes.greeting_name;
    exchange.allowances = &house_.allowances;
    if (owed != nullptr) exchange.has_consumer = house_.has_consumer && house_.has_consumer(owed->submission.mailbox);
    exchange.owed = std::move(owed);
    if (box == nullptr) return exchange;
    const auto& sender = box->sender;
    exchange.take = sender.number;
    exchange.spender = {sender.number, sender.pace.recipients_per_day, sender.tenant};
    exchange.reserved = std::exchange(box->reserved, false);
    box->not_before = {};
    box->last_served = house_.seams.timers.now();
    box->pace.count(box->last_served);
    box->due.reset();  // what is due is known again with the answer; others do not take it for theirs
    schedule(*box);
    return exchange;
}

/// What the store said of a mailbox that a mail was to be taken from.
void Desk::note(const SendingWork::Got& got, store::MailboxNumber mailbox) {
    Box* box = box_of(mailbox);
    if (box == nullptr) return;
    if (got.due.queued) box->due = box->due ? std::min(*box->due, *got.due.queued) : *got.due.queued;
    box->doubtful = got.due.doubtful;
    box->backlog = got.due.queued && *got.due.queued <= house_.wall();
    box->recipients_today = got.recipients_today;
    if (got.not_before) box->not_before = moment_of(*got.not_before);
    box->reserved = got.reserved;
    if (!got.submission) box->pace.give_back();
    schedule(*box);
}

void Desk::note_debt(store::MailboxNumber mailbox, const store::Outcome& outcome) {
    if (!outcome.due) return;
    if (box_of(mailbox) == nullptr && house_.moved) house_.moved(mailbox);
    if (outcome.state == SubmissionState::queued) queued(mailbox, *outcome.due);
    if (outcome.state == SubmissionState::in_doubt) doubtful(mailbox, *outcome.due);
}

/// Hands mail over on one line until there is none left, the pace says wait, or the account is parked.
awaitable<void> Desk::work() {
    const OneOf at_work(workers_);
    std::unique_ptr<Line> line;
    std::shared_ptr<const Owed> owed;  // what became of the last mail
    for (;;) {
        Box* box = may_send() ? next_box() : nullptr;
        if (box == nullptr && owed == nullptr) break;
        if (box != nullptr && line != nullptr && !line->serves(box->sender)) dismiss(std::move(line));
        if (box != nullptr && line == nullptr && owed == nullptr) {
            line = co_await line_for(box->sender);
            if (line == nullptr) break;
            continue;  // much may have changed meanwhile
        }
        auto exchange = exchange_for(line == nullptr ? nullptr : box, std::exchange(owed, nullptr));
        const auto unpaid = exchange.owed;
        const auto number = exchange.take;
        const auto spender = exchange.spender;
        const auto taken_at = exchange.now;
        auto got = co_await house_.committer.run(house_.inbox, std::move(exchange));
        if (!got) {
            const bool full = got.error() == store::errc::disk_full;
            if (Box* here = box_of(number)) {
                here->pace.give_back();
                here->due = full ? house_.wall() : house_.wall() + after_store_error;
                schedule(*here);
            }
            if (full) {  // what became of the mail is told as soon as there is room
                owed = unpaid;
                co_await house_.seams.timers.sleep_for(until_there_is_room);
                continue;
            }
            spdlog::error("mailbox={} id=store_error reason={}", number, runtime::value(got.error().message()));
            break;
        }
        if (unpaid != nullptr) {
            const auto debtor = unpaid->submission.mailbox;
            if (got->bounced && house_.bounced) house_.bounced(debtor);
            note_debt(debtor, unpaid->settlement.outcome);
        }
        if (number == 0) continue;
        note(*got, number);
        if (!got->submission) continue;
        if (const Box* here = box_of(number); here != nullptr && here->backlog) arrange();
        Owed next;
        next.submission = std::move(*got->submission);
        next.spender = spender;
        next.recipients = got->recipients;
        next.taken_at = taken_at;
        auto sent = co_await send(*line, std::move(next));
        owed = std::make_shared<const Owed>(std::move(sent));
        if (!line->client().usable()) line.reset();
    }
    if (line != nullptr && draining_) {
        co_await say_good_bye(std::shared_ptr<Line>(std::move(line)));
    } else if (line != nullptr) {
        rest(std::move(line));
    }
    // The next arrangement comes from the loop, when this worker no longer counts.
    timer_.arm(house_.seams.timers.now());
}

/// Mail with 8-bit bytes becomes one without where the server does not offer 8BITMIME. Not when its header has them:
/// that is for SMTPUTF8.
awaitable<Result<smtp::Submission>> Desk::hand_over(smtp::Client& client, smtp::Envelope& envelope,
                                                    const store::BodyPlace& place, Attempt& attempt) {
    const bool fits = envelope.body_kind != smtp::BodyKind::eight_bit || client.capabilities().eightbitmime;
    if (fits || envelope.headers == smtp::Envelope::Headers::utf8) {
        StoredBody body(house_.bodies, place);
        auto answer = co_await client.submit(envelope, body);
        co_return answer;
    }
    SevenBitBody body(house_.bodies, place);
    auto unfit = co_await body.prepare();
    if (!unfit) co_return unfit.error();
    attempt.unfit = std::move(*unfit);
    if (attempt.unfit.empty()) envelope.body_kind = smtp::BodyKind::seven_bit;
    auto answer = co_await client.submit(envelope, body);  // that it is unfit is an obstacle
    co_return answer;
}

/// One attempt. What it made of the mail is owed to the store.
awaitable<Owed> Desk::send(Line& line, Owed owed) {
    const auto& row = owed.submission;
    auto ticket = submission::ticket_from(row.envelope);
    auto progress = ticket ? submission::progress_from(row.progress, ticket->envelope.recipients.size()) : std::nullopt;
    if (!progress) {
        owed.settlement.outcome = held(row, house_.wall(), "what the store keeps of this submission cannot be read");
        spdlog::error("submission={} id=unreadable_submission", row.id);
        co_return owed;
    }
    owed.ticket = std::move(*ticket);
    Attempt attempt;
    attempt.server = line.server();
    smtp::Envelope envelope = owed.ticket.envelope;
    envelope.recipients.clear();
    for (std::size_t place = 0; place < progress->recipients.size(); ++place) {
        if (!submission::Progress::is_open(progress->recipients[place])) continue;
        attempt.asked.push_back(place);
        envelope.recipients.push_back(owed.ticket.envelope.recipients[place]);
    }
    auto answer = co_await hand_over(line.client(), envelope, row.body, attempt);
    if (!answer && is_of_the_mail(answer.error())) {  // trying again would not help, and nobody else is to wait for it
        owed.settlement.outcome = held(row, house_.wall(), answer.error().message());
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
    owed.settlement = settled(row, std::move(*progress), attempt, house_.wall(), rules);
    const bool answered = attempt.broke == std::nullopt;
    const auto& effect = owed.settlement.effect;
    if (answered && (effect.cause == Cause::accepted || effect.cause == Cause::crowded ||
                     effect.cause == Cause::deferred || effect.cause == Cause::refused))
        recover(row.mailbox);
    suffer(row.mailbox, effect);
    const auto& outcome = owed.settlement.outcome;
    spdlog::info("submission={} mailbox={} state={} recipients={} attempts={} server={} said={}", row.id, row.mailbox,
                 static_cast<int>(outcome.state), attempt.asked.size(), outcome.attempts, attempt.server,
                 runtime::value(outcome.reason));
    co_return owed;
}

}  // namespace dispatcher
