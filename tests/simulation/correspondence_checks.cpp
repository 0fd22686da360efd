// What must hold of mail that was handed in.

#include <algorithm>

#include "engine/submission/record.hpp"
#include "tests/simulation/correspondence.hpp"
#include "tests/simulation/mailroom.hpp"

using namespace std::chrono_literals;

namespace simulation {

namespace {

using store::SubmissionState;
using State = submission::Fate::State;

// Words that the pretend provider's refusals carry (scenario.cpp): whom they are about.
constexpr std::string_view about_mail = "(mail)";
constexpr std::string_view about_account = "(account)";

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool is_final(std::string_view kind) { return kind == "delivered" || kind == "failed" || kind == "cancelled"; }

/// The last event's kind that goes with a state; empty: any that is not final.
std::string_view kind_of(SubmissionState state) {
    switch (state) {
        case SubmissionState::delivered:
            return "delivered";
        case SubmissionState::failed:
            return "failed";
        case SubmissionState::cancelled:
            return "cancelled";
        case SubmissionState::in_doubt:
            return "in_doubt";
        case SubmissionState::held:
            return "held";
        default:
            return {};
    }
}

/// What the event says as the reason, in JSON.
std::string_view reason_in(std::string_view detail) {
    constexpr std::string_view field = "\"reason\":\"";
    const auto found = detail.find(field);
    return found == std::string_view::npos ? std::string_view() : detail.substr(found + field.size());
}

}  // namespace

void Correspondence::take_event(const store::OutboxEvent& event) {
    events_.note("event no={} id={} {} {}", event.number, event.submission, event.kind, event.detail);
    auto& course = courses_[event.submission];
    const bool first = course.kinds.empty();
    if (first != (event.kind == "accepted"))
        events_.violated("submission {} {} with \"{}\"", event.submission, first ? "begins" : "goes on", event.kind);
    if (!first && is_final(course.kinds.back()))
        events_.violated("submission {} was {} and is {} now", event.submission, course.kinds.back(), event.kind);
    const bool by_operator = event.detail == "{}";
    if (event.kind == "held" && !by_operator)
        events_.violated("submission {} is held: {}", event.submission, event.detail);
    const auto reason = reason_in(event.detail);
    if ((event.kind == "deferred" || event.kind == "failed") && holds(reason, about_account))
        events_.violated("a fault of the account costs submission {}: {}", event.submission, event.detail);
    if (event.kind == "released" && !first && course.kinds.back() == "in_doubt") ++course.repeats_marked;
    if (holds(reason, "sent once more, as the mailbox's policy says")) ++course.repeats_marked;
    course.kinds.push_back(event.kind);
}

void Correspondence::learn(const OutboxState& found) {
    for (const auto& event : found.events) {
        if (event.number <= events_known()) {
            const auto& known = told_[static_cast<std::size_t>(event.number - 1)];
            if (known.submission != event.submission || known.kind != event.kind || known.detail != event.detail)
                events_.violated("event {} was {} and is {}", event.number, known.kind, event.kind);
            continue;
        }
        if (event.number != events_known() + 1)
            events_.violated("after event {} comes event {}", events_known(), event.number);
        told_.push_back(event);
        take_event(event);
    }
    if (found.after == 0 && static_cast<std::int64_t>(found.events.size()) < events_known())
        events_.violated("{} events were durable, {} are left", events_known(), found.events.size());
    const auto& counts = found.counts;
    const bool rests = counts.queued == 0 && counts.sending == 0 && counts.held == 0 && !found.anything_due;
    restful_ = rests ? restful_ + 1 : 0;
    if (found.has_rows) check_rows(found);
}

/// What was acknowledged is there, and everything only once.
void Correspondence::check_rows(const OutboxState& found) {
    std::map<std::uint32_t, store::SubmissionId> ids;
    for (const auto& row : found.rows) {
        const auto ticket = submission::ticket_from(row.envelope);
        const auto number = ticket ? order_in("Subject: " + ticket->subject) : 0;
        if (number == 0 || number > count()) {
            events_.violated("submission {} is one that nobody wrote", row.id);
            continue;
        }
        const auto known = ids.emplace(number, row.id);
        if (!known.second) events_.violated("order {} was taken twice: {} and {}", number, known.first->second, row.id);
        const auto& order = at(number);
        if (order.id && *order.id != row.id)
            events_.violated("order {} was acknowledged as {}, and is {}", number, *order.id, row.id);
    }
    for (const Order& order : orders_) {
        if (order.id && !ids.contains(order.number))
            events_.violated("lost: order {} was acknowledged and is gone", order.number);
    }
}

bool Correspondence::at_rest() const {
    // The first may have been under way when it happened.
    return restful_ >= 2 && std::none_of(orders_.begin(), orders_.end(), [](const Order& order) {
               return order.asked_now || (!order.id && !order.lost);
           });
}

void Correspondence::check_end(const OutboxState& found, const Application& application) {
    std::set<std::uint32_t> taken;
    for (const auto& row : found.rows) {
        const auto ticket = submission::ticket_from(row.envelope);
        const auto number = ticket ? order_in("Subject: " + ticket->subject) : 0;
        if (number == 0 || number > count()) continue;  // said by learn()
        taken.insert(number);
        check_outcome(row, at(number), application);
    }
    for (const Order& order : orders_) {
        if (!taken.contains(order.number) && !order.arrived.empty())
            events_.violated("order {} was never taken, and has arrived", order.number);
    }
    check_pace();
}

void Correspondence::check_outcome(const store::Submission& row, const Order& order, const Application& application) {
    const auto what = [&] { return fmt::format("order {} is in state {}", order.number, static_cast<int>(row.state)); };
    const auto course = courses_.find(row.id);
    if (course == courses_.end()) return events_.violated("{} without an event", what());
    if (course->second.kinds.back() != kind_of(row.state))
        events_.violated("{}, and its last event is {}", what(), course->second.kinds.back());
    const auto progress = submission::progress_from(row.progress, order.asked.recipients.size());
    if (!progress) return events_.violated("{}, its progress cannot be read", what());
    std::size_t waiting = 0, failed = 0;
    std::map<std::string, unsigned> reported;
    for (const auto& mail : application.reports(row.mailbox)) {
        if (mail.order != order.number) continue;
        for (const auto& recipient : mail.failed) ++reported[recipient];
    }
    for (std::size_t place = 0; place < order.asked.recipients.size(); ++place) {
        const auto& recipient = order.asked.recipients[place];
        const auto& fate = progress->recipients[place];
        const auto arrived = order.arrived.contains(recipient) ? order.arrived.at(recipient) : 0;
        waiting += submission::Progress::is_open(fate) ? 1 : 0;
        failed += fate.state == State::failed ? 1 : 0;
        if (fate.state == State::delivered && arrived == 0)
            events_.violated("lost: {}, {} is said to have it and has not: {}", what(), recipient, fate.said);
        const bool says_so = order.may_repeat && holds(fate.said, "may have arrived all the same");
        if (fate.state == State::failed && arrived > 0 && !says_so)
            events_.violated("{}, {} is said to have failed and has it: {}", what(), recipient, fate.said);
        if (fate.state == State::failed && !holds(fate.said, about_mail))
            events_.violated("{}, {} failed without a word against it: {}", what(), recipient, fate.said);
        if (reported[recipient] != (fate.state == State::failed ? 1U : 0U))
            events_.violated("{}, {} is in state {} and in {} reports", what(), recipient, static_cast<int>(fate.state),
                             reported[recipient]);
        if (arrived > 1 + course->second.repeats_marked)
            events_.violated("doubled: {}, {} has it {} times, {} were marked", what(), recipient, arrived,
                             course->second.repeats_marked);
        if (submission::Progress::is_open(fate) && arrived > 0 && row.state != SubmissionState::in_doubt &&
            row.state != SubmissionState::cancelled)
            events_.violated("{}, {} has it, and it is not known", what(), recipient);
    }
    switch (row.state) {
        case SubmissionState::delivered:
            if (waiting + failed > 0) events_.violated("{}, and somebody has not got it", what());
            break;
        case SubmissionState::failed:
            if (waiting > 0 || failed == 0) events_.violated("{}, {} wait, {} failed", what(), waiting, failed);
            break;
        case SubmissionState::cancelled:
            if (!order.cancelled) events_.violated("{}, and nobody said so", what());
            break;
        case SubmissionState::in_doubt:
            // Out of sight, in doubt for the second time, or to several of whom no reply came.
            if (row.due || !(progress->doubts >= 2 || (hidden_ && holds(row.reason, "cannot be seen")) ||
                             (progress->recipients.size() > 1 && holds(row.reason, "is not known"))))
                events_.violated("{} after {} doubts: {}", what(), progress->doubts, row.reason);
            break;
        default:
            events_.violated("{}: {}", what(), row.reason);
    }
}

void Correspondence::check_pace() const {
    std::map<std::string, std::vector<Arrival>> by_sender;
    for (const auto& arrival : arrivals_) by_sender[arrival.sender].push_back(arrival);
    for (const auto& [sender, arrivals] : by_sender) {
        check_rate(arrivals, terms_.mails_per_minute, sender);
        check_day(arrivals, terms_.recipients_per_day, sender);
    }
    check_rate(arrivals_, terms_.tenant_mails_per_minute, "the tenant");
    check_day(arrivals_, terms_.tenant_recipients_per_day, "the tenant");
}

/// A minute's allowance at once after a rest, and then its part of each minute. A new process begins with a rest.
void Correspondence::check_rate(const std::vector<Arrival>& arrivals, std::uint32_t mails_per_minute,
                                const std::string& whose) const {
    constexpr auto under_way = 30s;  // from the daemon's count to the provider's: commits take up to 3 s each
    if (mails_per_minute == 0) return;
    for (std::size_t first = 0; first < arrivals.size(); ++first) {
        for (std::size_t last = first; last < arrivals.size(); ++last) {
            if (arrivals[first].process != arrivals[last].process) break;
            const std::chrono::duration<double, std::ratio<60>> minutes =
                arrivals[last].at - arrivals[first].at + under_way;
            if (static_cast<double>(last - first) > mails_per_minute * (1 + minutes.count()))
                return events_.violated("{} mails of {} arrive within {:.1f} minutes, {} a minute are allowed",
                                        last - first + 1, whose, minutes.count(), mails_per_minute);
        }
    }
}

void Correspondence::check_day(const std::vector<Arrival>& arrivals, std::uint32_t recipients,
                               const std::string& whose) const {
    constexpr auto under_way = 5min;
    if (recipients == 0) return;
    for (std::size_t first = 0; first < arrivals.size(); ++first) {
        std::size_t sum = 0;
        for (std::size_t last = first; last < arrivals.size(); ++last) {
            if (arrivals[last].at - arrivals[first].at >= 24h - under_way) break;
            sum += arrivals[last].recipients;
        }
        if (sum > recipients)
            return events_.violated("{} recipients of {} in 24 hours, {} are allowed", sum, whose, recipients);
    }
}

void Correspondence::note_all() const {
    for (const Order& order : orders_) {
        const auto course = order.id ? courses_.find(*order.id) : courses_.end();
        events_.note("order={} id={} asked_now={} lost={} arrived={} events={}", order.number, order.id.value_or(0),
                     order.asked_now, order.lost, order.arrived.size(),
                     course == courses_.end() ? "" : fmt::format("{}", fmt::join(course->second.kinds, " ")));
    }
}

}  // namespace simulation
