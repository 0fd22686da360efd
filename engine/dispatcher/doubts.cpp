#include "engine/dispatcher/doubts.hpp"

#include "engine/dispatcher/sending_work.hpp"
#include "engine/runtime/log.hpp"

namespace dispatcher {

using store::SubmissionState;

namespace {

constexpr std::size_t doubts_at_once = 64;

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
    std::vector<std::shared_ptr<const Owed>> owed;
    store::Millis now{};
    Result<store::Outbox::Due> operator()(store::Workbench bench) const {
        for (const auto& one : owed) {
            SendingWork work;
            work.owed = one;
            work.now = now;
            const auto done = work(bench);
            if (!done) return done.error();
        }
        return bench.store.outbox().due_of(owed.front()->submission.mailbox);
    }
};

store::Outcome outcome_of(const Owed& owed, const Looked& looked, store::Millis now, const LookingRules& rules) {
    const auto& row = owed.submission;
    auto progress = submission::progress_from(row.progress, owed.ticket.envelope.recipients.size());
    if (looked.sight && progress) return after_look(row, std::move(*progress), *looked.sight, looked.why, now, rules);
    return {.state = SubmissionState::in_doubt,  // the look failed: another in a while
            .due = now + rules.pauses.back(),
            .attempts = row.attempts,
            .at = now,
            .progress = row.progress,
            .reason = looked.why};
}

}  // namespace

awaitable<Result<store::Outbox::Due>> resolve_doubts(House& house, Sender sender) {
    TakeDoubtful take{sender.number, house.wall()};
    auto taken = co_await once_there_is_room(house, std::move(take));
    if (!taken) co_return taken.error();
    if (taken->submissions.empty()) co_return taken->due;
    std::vector<Trace> traces;
    std::vector<Owed> owed;
    for (auto& one : taken->submissions) {
        Owed debt;
        auto ticket = submission::ticket_from(one.envelope);
        if (ticket) debt.ticket = std::move(*ticket);
        Trace trace{debt.ticket.message_id, debt.ticket.mark};
        const auto progress = submission::progress_from(one.progress, debt.ticket.envelope.recipients.size());
        if (progress) trace.copies = progress->copies;
        traces.push_back(std::move(trace));
        debt.submission = std::move(one);
        owed.push_back(std::move(debt));
    }
    auto looked = co_await look_into_sent_items(house.seams, house.tokens, sender, std::move(traces));
    LookingRules rules = house.looking;
    rules.out_of_sight = sender.out_of_sight;
    for (std::size_t each = 0; each < owed.size(); ++each) {
        auto& outcome = owed[each].settlement.outcome;
        outcome = outcome_of(owed[each], looked[each], house.wall(), rules);
        spdlog::info("submission={} mailbox={} doubt={} said={}", owed[each].submission.id, sender.id,
                     static_cast<int>(outcome.state), runtime::value(outcome.reason));
    }
    SettleDoubtful settle{{}, house.wall()};
    for (auto& one : owed) settle.owed.push_back(std::make_shared<const Owed>(std::move(one)));
    auto due = co_await once_there_is_room(house, std::move(settle));
    co_return due;
}

}  // namespace dispatcher
