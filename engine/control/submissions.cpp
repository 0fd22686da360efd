#include "engine/control/submissions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "engine/control/commands.hpp"
#include "engine/control/json.hpp"
#include "engine/control/letter.hpp"
#include "protocols/base/text.hpp"

namespace control {
namespace {

using store::SubmissionState;
using submission::Fate;

constexpr std::size_t rows_looked_at = 5000;  // by one call, when a filter leaves out many

std::string_view word_of(SubmissionState state) {
    switch (state) {
        case SubmissionState::queued:
            return "queued";
        case SubmissionState::sending:
            return "sending";
        case SubmissionState::in_doubt:
            return "in_doubt";
        case SubmissionState::held:
            return "held";
        case SubmissionState::delivered:
            return "delivered";
        case SubmissionState::failed:
            return "failed";
        default:
            return "cancelled";
    }
}

std::string_view word_of(store::Lane lane) {
    switch (lane) {
        case store::Lane::alarm:
            return "alarm";
        case store::Lane::interactive:
            return "interactive";
        default:
            return "bulk";
    }
}

std::string_view word_of(Fate::State state) {
    switch (state) {
        case Fate::State::delivered:
            return "delivered";
        case Fate::State::failed:
            return "failed";
        default:
            return "waiting";
    }
}

boost::json::object to_json(const store::Submission& row, const std::string& mailbox) {
    boost::json::object object{{"id", submission::id_text(row.id)},
                               {"mailbox", mailbox},
                               {"state", word_of(row.state)},
                               {"lane", word_of(row.lane)},
                               {"attempts", row.attempts},
                               {"accepted_at", time_text(row.accepted_at)},
                               {"changed_at", time_text(row.changed_at)},
                               {"expires_at", time_text(row.expires_at)},
                               {"bytes", row.body.length}};
    if (row.due) object["due"] = time_text(*row.due);
    if (!row.reason.empty()) object["reason"] = row.reason;
    if (!row.key.empty()) object["key"] = row.key;
    const auto ticket = submission::ticket_from(row.envelope);
    if (!ticket) {
        object["reason"] = "what the store keeps of this submission cannot be read";
        return object;
    }
    object["from"] = ticket->envelope.sender ? ticket->envelope.sender->text() : std::string();
    object["message_id"] = ticket->message_id;
    object["subject"] = ticket->subject;
    const auto progress = submission::progress_from(row.progress, ticket->envelope.recipients.size());
    boost::json::array recipients;
    for (std::size_t place = 0; place < ticket->envelope.recipients.size(); ++place) {
        boost::json::object one{{"address", ticket->envelope.recipients[place].address.text()}};
        if (progress) one["state"] = word_of(progress->recipients[place].state);
        if (progress && !progress->recipients[place].said.empty()) one["said"] = progress->recipients[place].said;
        recipients.push_back(std::move(one));
    }
    object["recipients"] = std::move(recipients);
    return object;
}

bool sends_to(const store::Submission& row, std::string_view domain) {
    const auto ticket = submission::ticket_from(row.envelope);
    if (!ticket) return false;
    return std::any_of(ticket->envelope.recipients.begin(), ticket->envelope.recipients.end(),
                       [&](const smtp::Recipient& to) { return text::same(to.address.domain(), domain); });
}

Response unknown(store::SubmissionId id) {
    return refusal(404, fmt::format("there is no submission {}; rohrpost queue list shows those that wait",
                                    submission::id_text(id)));
}

/// A failure on the way, or the refusal that was left for it.
Response of(error_code reason, store::SubmissionId id) {
    return reason == store::errc::unknown_id ? unknown(id) : failure(reason);
}

struct ListWork {
    SubmissionQuery query;
    std::shared_ptr<MailboxNames> names;

    Result<Response> operator()(store::Workbench bench) const {
        auto& outbox = bench.store.outbox();
        const bool settled_too =
            query.state == "all" || query.state == "delivered" || query.state == "failed" || query.state == "cancelled";
        const auto which = settled_too ? store::Outbox::Which::all : store::Outbox::Which::waiting;
        boost::json::array list;
        auto after = query.after.value_or(0);
        bool more = true;
        for (std::size_t looked_at = 0; more && list.size() < query.limit && looked_at < rows_looked_at;) {
            const auto page = std::min<std::size_t>(query.limit - list.size(), rows_looked_at - looked_at);
            const auto rows = outbox.submissions(which, after, page);
            if (!rows) return rows.error();
            more = rows->size() == page;
            looked_at += rows->size();
            for (const auto& row : *rows) {
                after = row.id;
                const auto name = names->name_of(bench.store, row.mailbox);
                const std::string mailbox = name ? *name : std::string();
                if (!fits(row, mailbox)) continue;
                list.push_back(to_json(row, mailbox));
            }
        }
        boost::json::object page{{"submissions", std::move(list)}};
        if (more) page["next"] = submission::id_text(after);
        return answer(page);
    }

private:
    [[nodiscard]] bool fits(const store::Submission& row, const std::string& mailbox) const {
        if (!query.mailbox.empty() && mailbox != query.mailbox) return false;
        if (!query.state.empty() && query.state != "all" && word_of(row.state) != query.state) return false;
        if (query.before && row.accepted_at >= *query.before) return false;
        return query.domain.empty() || sends_to(row, query.domain);
    }
};

/// What an act makes of a submission; nullopt: nothing is to be done, or it makes no sense there.
std::optional<store::Outcome> outcome_of(Act act, const store::Submission& row, store::Millis now) {
    store::Outcome outcome{.state = row.state,
                           .due = row.due,
                           .attempts = row.attempts,
                           .at = now,
                           .progress = row.progress,
                           .reason = row.reason};
    switch (act) {
        case Act::hold:
            if (row.state != SubmissionState::queued) return std::nullopt;
            outcome.state = SubmissionState::held;
            outcome.due.reset();
            outcome.reason = "held by an operator";
            return outcome;
        case Act::release:
            if (row.state != SubmissionState::held && row.state != SubmissionState::in_doubt) return std::nullopt;
            outcome.state = SubmissionState::queued;
            outcome.due = now;
            outcome.reason = row.state == SubmissionState::held ? "released by an operator"
                                                                : "released by an operator though it may have arrived";
            return outcome;
        case Act::retry:
            if (row.state != SubmissionState::queued) return std::nullopt;
            outcome.due = now;
            return outcome;
        case Act::cancel:
            outcome.state = SubmissionState::cancelled;
            outcome.due.reset();
            outcome.reason = "cancelled by an operator";
            return outcome;
    }
    return std::nullopt;
}

std::string_view wanted_of(Act act) {
    switch (act) {
        case Act::hold:
            return "only what is queued can be held";
        case Act::release:
            return "only what is held or in doubt can be released";
        case Act::retry:
            return "only what is queued can be tried again at once";
        default:
            return "it cannot be cancelled";
    }
}

struct ChangeWork {
    store::SubmissionId id = 0;
    Act act = Act::hold;
    store::Millis now{};
    std::shared_ptr<MailboxNames> names;

    struct Done {
        Response response;
        store::MailboxNumber mailbox = 0;  // 0: nothing has changed
    };
    Result<Done> operator()(store::Workbench bench) const {
        auto& outbox = bench.store.outbox();
        const auto before = outbox.submission(id);
        if (!before) return before.error();
        if (!*before) return store::errc::unknown_id;
        const auto outcome = outcome_of(act, **before, now);
        const bool settled = is_settled((*before)->state);
        if (!outcome || settled || (*before)->state == SubmissionState::sending) {
            return Done{
                refusal(409, fmt::format("submission {} is {}: {}", submission::id_text(id), word_of((*before)->state),
                                         (*before)->state == SubmissionState::sending ? "wait for what becomes of it"
                                         : settled                                    ? "that is final"
                                                                                      : wanted_of(act))),
                0};
        }
        const auto changed = outbox.change(id, *outcome);
        if (!changed && changed.error() == store::errc::out_of_order)
            return Done{refusal(409, fmt::format("submission {} is being looked for; try again in a minute",
                                                 submission::id_text(id))),
                        0};
        if (!changed) return changed.error();
        if (act != Act::retry) {
            const auto told = outbox.add_event({.submission = id,
                                                .mailbox = (*before)->mailbox,
                                                .at = now,
                                                .kind = act == Act::release ? "released"
                                                        : act == Act::hold  ? "held"
                                                                            : "cancelled",
                                                .detail = "{}"});
            if (!told) return told.error();
        }
        const auto after = outbox.submission(id);
        if (!after) return after.error();
        const auto name = names->name_of(bench.store, (*after)->mailbox);
        return Done{answer(to_json(**after, name ? *name : std::string())), (*after)->mailbox};
    }
};

}  // namespace

awaitable<Response> submit(Surroundings& here, submission::Order order) {
    if (here.random == nullptr) co_return refusal(503, "submissions are not taken here");
    auto drafted = submission::drafted(std::move(order), *here.random, here.clock.wall());
    if (const auto* fault = std::get_if<submission::Fault>(&drafted)) co_return refusal(422, fault->what);
    submission::AcceptWork work{here.senders.get(), std::move(std::get<submission::Draft>(drafted))};
    const auto due = *work.draft.submission.due;
    const std::string sender = work.draft.ticket.envelope.sender->text();
    auto accepted = co_await here.committer.run(here.home, std::move(work));
    if (!accepted) {
        if (accepted.error() == submission::errc::unknown_sender)
            co_return refusal(403, fmt::format("sender \"{}\": {}", sender, accepted.error().message()));
        if (accepted.error() == submission::errc::closed) co_return refusal(503, accepted.error().message());
        if (accepted.error() == store::errc::body_too_large) co_return refusal(413, accepted.error().message());
        co_return failure(accepted.error());
    }
    if (here.sending != nullptr && !accepted->known_before) here.sending->queued(accepted->mailbox, due);
    boost::json::object told{{"id", submission::id_text(accepted->id)}, {"mailbox", accepted->mailbox_id}};
    if (accepted->known_before) told["known_before"] = true;
    co_return answer(told, accepted->known_before ? 200 : 202);
}

awaitable<Response> submit_letter(Surroundings& here, std::string document) {
    if (here.random == nullptr) co_return refusal(503, "submissions are not taken here");
    auto read = order_of_letter(std::move(document), *here.random);
    if (const auto* faults = std::get_if<config::Faults>(&read))
        co_return faulty("the mail has faults; it was not taken", *faults);
    auto taken = co_await submit(here, std::move(std::get<submission::Order>(read)));
    co_return taken;
}

awaitable<Response> list_submissions(Surroundings& here, SubmissionQuery query) {
    query.limit = std::clamp<std::size_t>(query.limit, 1, page_rows_max);
    ListWork work{std::move(query), here.names};
    auto page = co_await here.committer.run(here.home, std::move(work));
    if (!page) co_return failure(page.error());
    co_return std::move(*page);
}

awaitable<Response> show_submission(Surroundings& here, store::SubmissionId id) {
    auto work = [id, names = here.names](store::Workbench bench) -> Result<Response> {
        const auto row = bench.store.outbox().submission(id);
        if (!row) return row.error();
        if (!*row) return store::errc::unknown_id;
        const auto name = names->name_of(bench.store, (*row)->mailbox);
        return answer(to_json(**row, name ? *name : std::string()));
    };
    auto shown = co_await here.committer.run(here.home, std::move(work));
    if (!shown) co_return of(shown.error(), id);
    co_return std::move(*shown);
}

awaitable<Response> read_submission(Surroundings& here, store::SubmissionId id, std::uint64_t offset) {
    auto work = [id, offset](store::Workbench bench) -> Result<std::string> {
        const auto row = bench.store.outbox().submission(id);
        if (!row) return row.error();
        if (!*row) return store::errc::unknown_id;
        const auto& body = (*row)->body;
        if (offset >= body.length) return std::string();
        return bench.bodies.read(body, offset, std::min<std::uint64_t>(body_chunk_bytes_max, body.length - offset));
    };
    auto piece = co_await here.committer.run(here.home, std::move(work));
    if (!piece && piece.error() == store::errc::body_gone) co_return refusal(410, piece.error().message());
    if (!piece) co_return of(piece.error(), id);
    Response response;
    response.type = mail_type;
    response.body = std::move(*piece);
    co_return response;
}

awaitable<Response> change_submission(Surroundings& here, store::SubmissionId id, Act act) {
    ChangeWork work{id, act, now_of(here), here.names};
    auto done = co_await here.committer.run(here.home, std::move(work));
    if (!done) co_return of(done.error(), id);
    if (here.sending != nullptr && done->mailbox != 0) here.sending->changed(done->mailbox);
    co_return std::move(done->response);
}

awaitable<Response> list_senders(Surroundings& here) {
    auto work = [](store::Workbench bench) { return bench.store.outbox().counts(); };
    auto counts = co_await here.committer.run(here.home, work);
    if (!counts) co_return failure(counts.error());
    boost::json::array senders;
    if (here.sending != nullptr) {
        for (const auto& one : here.sending->senders()) {
            boost::json::object object{{"mailbox", one.mailbox},
                                       {"state", one.phase},
                                       {"connections", one.connections},
                                       {"recipients_today", one.recipients_today}};
            if (!one.reason.empty()) object["reason"] = one.reason;
            if (one.until) object["until"] = time_text(*one.until);
            senders.push_back(std::move(object));
        }
    }
    boost::json::array tenants;
    if (here.sending != nullptr) {
        for (const auto& one : here.sending->tenants()) {
            boost::json::object object{{"tenant", one.tenant}, {"recipients_today", one.recipients_today}};
            if (one.recipients_per_day > 0) object["recipients_per_day"] = one.recipients_per_day;
            if (one.mails_per_minute > 0) object["mails_per_minute"] = one.mails_per_minute;
            tenants.push_back(std::move(object));
        }
    }
    co_return answer(boost::json::object{{"senders", std::move(senders)},
                                         {"tenants", std::move(tenants)},
                                         {"totals", boost::json::object{{"queued", counts->queued},
                                                                        {"sending", counts->sending},
                                                                        {"in_doubt", counts->in_doubt},
                                                                        {"held", counts->held}}}});
}

}  // namespace control
