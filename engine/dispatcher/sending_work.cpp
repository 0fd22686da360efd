#include "engine/dispatcher/sending_work.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>

#include "engine/dispatcher/bounce.hpp"
#include "protocols/base/sha256.hpp"

namespace dispatcher {

using store::SubmissionState;

namespace {

constexpr std::uint64_t headers_bytes_max = 64 * 1024;
// Bounces reach the application as mail of a folder that no server has.
constexpr std::string_view bounce_folder = "\x01 bounces";
constexpr std::uint32_t bounce_validity = 1;

std::string_view event_of(SubmissionState state) {
    switch (state) {
        case SubmissionState::delivered:
            return "delivered";
        case SubmissionState::failed:
            return "failed";
        case SubmissionState::in_doubt:
            return "in_doubt";
        case SubmissionState::held:
            return "held";
        case SubmissionState::cancelled:
            return "cancelled";
        default:
            return "deferred";
    }
}

std::string_view word_of(submission::Fate::State state) {
    switch (state) {
        case submission::Fate::State::delivered:
            return "delivered";
        case submission::Fate::State::failed:
            return "failed";
        default:
            return "waiting";
    }
}

store::Digest digest_of(std::string_view text) {
    const std::string whole = sha256_of(text);
    store::Digest digest{};
    std::copy_n(whole.begin(), digest.size(), digest.begin());
    return digest;
}

/// The header section of a message in the store, cut at a line's end if it is long.
Result<std::string> headers_of(const store::Bodies& bodies, const store::BodyPlace& place) {
    auto bytes = bodies.read(place, 0, std::min(place.length, headers_bytes_max));
    if (!bytes) return bytes.error();
    const auto end = bytes->starts_with("\r\n") ? 0 : bytes->find("\r\n\r\n");
    if (end != std::string::npos) return bytes->substr(0, end + (end == 0 ? 0 : 2));
    return bytes->substr(0, bytes->rfind("\r\n") == std::string::npos ? 0 : bytes->rfind("\r\n") + 2);
}

/// Puts a report about recipients that failed where the application takes its mail from.
Result<bool> add_bounce(store::Workbench bench, const SendingWork& work, const submission::Progress& progress) {
    const Owed& owed = *work.owed;
    auto headers = headers_of(bench.bodies, owed.submission.body);
    if (!headers && headers.error() == store::errc::io_failed) return {boost::system::in_place_error, headers.error()};
    Bounce bounce{.ticket = owed.ticket,
                  .progress = progress,
                  .failed = owed.settlement.failed,
                  .reporter = work.reporter,
                  .original_headers = headers ? std::move(*headers) : std::string(),
                  .boundary = fmt::format("rohrpost-{:x}-{:x}", owed.submission.id,
                                          owed.settlement.outcome.at.time_since_epoch().count()),
                  .accepted_at = owed.submission.accepted_at,
                  .now = work.now};
    const auto message = bounce_message(bounce);
    if (!message) return false;
    const auto folder = bench.store.folder(owed.submission.mailbox, bounce_folder);
    if (!folder) return {boost::system::in_place_error, folder.error()};
    if (folder->uid_validity == 0) {
        const auto adopted = bench.store.adopt_folder(folder->number, bounce_validity, 0);
        if (!adopted) return {boost::system::in_place_error, adopted.error()};
    }
    const auto place = bench.bodies.append(*message);
    if (!place) return {boost::system::in_place_error, place.error()};
    const store::Message row{.mailbox = owed.submission.mailbox,
                             .folder = folder->number,
                             .uid_validity = bounce_validity,
                             .uid = folder->cursor + 1,
                             .id = digest_of(bounce.boundary),
                             .fingerprint = digest_of(bounce.boundary),
                             .internal_date = work.now,
                             .received_at = work.now,
                             .body = *place};
    const auto added = bench.store.add_message(row);
    if (!added) return {boost::system::in_place_error, added.error()};
    const auto moved = bench.store.move_cursor(folder->number, bounce_validity, row.uid);
    if (!moved) return {boost::system::in_place_error, moved.error()};
    return true;
}

}  // namespace

std::string event_detail(const submission::Ticket& ticket, const submission::Progress& progress,
                         const store::Outcome& outcome) {
    boost::json::array recipients;
    for (std::size_t place = 0; place < ticket.envelope.recipients.size(); ++place) {
        const auto& fate = progress.recipients[place];
        boost::json::object one{{"address", ticket.envelope.recipients[place].address.text()},
                                {"state", word_of(fate.state)}};
        if (!fate.said.empty()) one["said"] = fate.said;
        recipients.push_back(std::move(one));
    }
    boost::json::object detail{{"message_id", ticket.message_id}, {"recipients", std::move(recipients)}};
    if (!outcome.reason.empty()) detail["reason"] = outcome.reason;
    if (outcome.due) detail["next_attempt_ms"] = outcome.due->time_since_epoch().count();
    return boost::json::serialize(detail);
}

/// True: a report was put into the mailbox's ledger.
Result<bool> SendingWork::settle(store::Workbench bench) const {
    auto& outbox = bench.store.outbox();
    const auto& outcome = owed->settlement.outcome;
    const auto progress = submission::progress_from(outcome.progress, owed->ticket.envelope.recipients.size());
    const auto settled = outbox.settle(owed->submission.id, outcome);
    if (!settled) return {boost::system::in_place_error, settled.error()};
    const auto reached = static_cast<std::uint32_t>(owed->settlement.delivered.size());
    if (allowances != nullptr && outcome.state != SubmissionState::in_doubt && owed->recipients > reached) {
        auto purse = Purse::of(bench.store, owed->spender);
        if (!purse) return {boost::system::in_place_error, purse.error()};
        const auto given = purse->give_back(owed->recipients - reached, owed->taken_at);
        if (!given) return {boost::system::in_place_error, given.error()};
    }
    if (!progress) return false;
    // Waiting for the account is no event of the message; leaving a second time, perhaps, is.
    const bool counts = outcome.state != SubmissionState::queued || outcome.attempts > owed->submission.attempts ||
                        owed->submission.state == SubmissionState::in_doubt;
    if (counts) {
        const auto told = outbox.add_event({.submission = owed->submission.id,
                                            .mailbox = owed->submission.mailbox,
                                            .at = now,
                                            .kind = std::string(event_of(outcome.state)),
                                            .detail = event_detail(owed->ticket, *progress, outcome)});
        if (!told) return {boost::system::in_place_error, told.error()};
    }
    if (!has_consumer || owed->settlement.failed.empty()) return false;
    return add_bounce(bench, *this, *progress);
}

Result<void> SendingWork::take_next(store::Workbench bench, Got& got) const {
    auto& outbox = bench.store.outbox();
    auto purse = Purse::of(bench.store, allowances != nullptr ? spender : Spender());
    if (!purse) return purse.error();
    got.recipients_today = purse->today(now);
    got.not_before = purse->next(1, now);
    if (got.not_before) return {};
    const bool in_turn = allowances != nullptr && !reserved && spender.tenant.limits.mails_per_minute > 0;
    if (in_turn) {  // only who has something to send takes one of the tenant's moments
        const auto due = outbox.due_of(take);
        if (!due) return due.error();
        if (!due->queued || *due->queued > now) return {};
        got.not_before = allowances->reserve(spender.tenant, now);
        got.reserved = got.not_before.has_value();
        if (got.reserved) return {};
    }
    auto taken = outbox.take_due(take, now, 1);
    if (!taken) return taken.error();
    if (taken->empty()) return {};
    auto& next = taken->front();
    const auto ticket = submission::ticket_from(next.envelope);
    const auto progress =
        ticket ? submission::progress_from(next.progress, ticket->envelope.recipients.size()) : std::nullopt;
    if (progress) got.recipients = progress->waiting();
    got.not_before = purse->next(got.recipients, now);
    if (got.not_before) {  // the first of its lane from now on, so that smaller ones do not always overtake it
        const store::Outcome back{.state = SubmissionState::queued,
                                  .due = next.accepted_at,
                                  .attempts = next.attempts,
                                  .at = next.changed_at,
                                  .progress = next.progress,
                                  .reason = next.reason};
        return outbox.settle(next.id, back);
    }
    if (got.recipients > 0) {
        const auto counted = purse->spend(got.recipients, now);
        if (!counted) return counted;
        got.recipients_today = purse->today(now);
    }
    got.submission = std::move(next);
    return {};
}

Result<SendingWork::Got> SendingWork::operator()(store::Workbench bench) const {
    Got got;
    if (owed) {
        const auto bounced = settle(bench);
        if (!bounced) return bounced.error();
        got.bounced = *bounced;
    }
    if (take == 0) return got;
    const auto taken = take_next(bench, got);
    if (!taken) return taken.error();
    const auto due = bench.store.outbox().due_of(take);
    if (!due) return due.error();
    got.due = *due;
    return got;
}

}  // namespace dispatcher
