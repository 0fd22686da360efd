#include "queue/store/sqlite_outbox.hpp"

#include <algorithm>

#include "queue/store/sqlite_outbox_statements.hpp"

namespace store {
namespace {

// Values of `due.lane`: those of Lane, and the looks for what is in doubt.
constexpr std::int64_t first_lane = 0;
constexpr std::int64_t last_lane = static_cast<std::int64_t>(lanes.size()) - 1;
constexpr std::int64_t doubt_lane = static_cast<std::int64_t>(lanes.size());

constexpr int id_counter_bits = 20;
constexpr std::int64_t checked_bodies_max = 64;
constexpr std::size_t kept_times_max = 8192;  // mailboxes, 100 bytes each

std::int64_t number(SubmissionState state) { return static_cast<std::int64_t>(state); }
std::int64_t number(Lane lane) { return static_cast<std::int64_t>(lane); }

std::int64_t lane_of(const Submission& submission) {
    return submission.state == SubmissionState::in_doubt ? doubt_lane : number(submission.lane);
}

BodyPlace read_place(const Statement::Rows& row, int column) {
    return {.segment = static_cast<std::uint64_t>(row.number(column)),
            .offset = static_cast<std::uint64_t>(row.number(column + 1)),
            .length = static_cast<std::uint64_t>(row.number(column + 2)),
            .crc32c = static_cast<std::uint32_t>(row.number(column + 3))};
}

Submission read_submission(const Statement::Rows& row) {
    Submission found{.id = row.number(0),
                     .mailbox = row.number(1),
                     .state = static_cast<SubmissionState>(row.number(2)),
                     .lane = static_cast<Lane>(row.number(3)),
                     .attempts = static_cast<std::uint32_t>(row.number(4)),
                     .accepted_at = time_of(row.number(5)),
                     .due = std::nullopt,
                     .expires_at = time_of(row.number(7)),
                     .changed_at = time_of(row.number(8)),
                     .body = read_place(row, 9),
                     .key = row.text(13),
                     .envelope = row.text(14),
                     .progress = row.text(15),
                     .reason = row.text(16)};
    const bool taken = row.number(17) != 0;
    if (row.number(6) >= 0 && !taken) found.due = time_of(row.number(6));
    if (taken && found.state == SubmissionState::queued) found.state = SubmissionState::sending;
    return found;
}

OutboxEvent read_event(const Statement::Rows& row) {
    return {.number = row.number(0),
            .submission = row.number(1),
            .mailbox = row.number(2),
            .at = time_of(row.number(3)),
            .kind = row.text(4),
            .detail = row.text(5)};
}

/// A due time stands with what waits for one, and only there.
bool is_sound(SubmissionState state, const std::optional<Millis>& due) {
    if (state == SubmissionState::sending) return false;
    if (state == SubmissionState::queued) return due.has_value();
    return state == SubmissionState::in_doubt || !due;
}

}  // namespace

SqliteOutbox::SqliteOutbox(SqliteWork& work) : work_(work), sql_(std::make_unique<Statements>(work.database())) {}

SqliteOutbox::~SqliteOutbox() = default;

Result<SqliteOutbox::Loaded> SqliteOutbox::load() {
    struct Last {
        Statement& statement;
        std::int64_t& into;
    };
    std::int64_t segment = 0;
    for (const Last& last :
         {Last{sql_->last_id, last_id_}, Last{sql_->last_event, last_event_}, Last{sql_->last_segment, segment}}) {
        const auto found = work_.first<std::int64_t>(last.statement, read_number);
        if (!found) return found.error();
        last.into = found->value_or(0);
    }
    last_segment_ = static_cast<std::uint64_t>(segment);
    last_event_committed_ = last_event_;

    using Queued = std::pair<MailboxNumber, std::uint64_t>;
    const auto queued = work_.all<Queued>(
        sql_->queued_counts,
        [](const Statement::Rows& row) { return Queued(row.number(0), static_cast<std::uint64_t>(row.number(1))); },
        doubt_lane);
    if (!queued) return queued.error();
    for (const auto& [mailbox, submissions] : *queued) counts_[mailbox].queued = submissions;
    for (const auto state : {SubmissionState::in_doubt, SubmissionState::held}) {
        const auto waiting =
            work_.all<SubmissionId>(sql_->ids_in_state, read_number, number(state), SubmissionId{0}, std::int64_t{-1});
        if (!waiting) return waiting.error();
        for (const auto id : *waiting) {
            const auto found = existing(id, errc::damaged);
            if (!found) return found.error();
            ++*counter(found->mailbox, state);
        }
    }
    const auto left = taken(SIZE_MAX >> 1);
    if (!left) return left.error();
    for (const auto& one : *left) {
        if (one.state == SubmissionState::sending) ++*counter(one.mailbox, SubmissionState::sending);
    }

    const auto newest = work_.all<BodyPlace>(
        sql_->newest_bodies, [](const Statement::Rows& row) { return read_place(row, 0); }, checked_bodies_max);
    if (!newest) return newest.error();
    return Loaded{.last_segment = last_segment_, .last_bodies = *newest};
}

Result<void> SqliteOutbox::finish_group() {
    for (const auto& [segment, use] : in_use_) {
        const auto written = work_.write(sql_->use_segment, whole(segment), use.live, whole(use.bytes_end));
        if (!written) return written.error();
    }
    return {};
}

void SqliteOutbox::committed() noexcept {
    for (const auto& [segment, use] : in_use_) last_segment_ = std::max(last_segment_, segment);
    in_use_.clear();
    group_.clear();
    last_event_committed_ = last_event_;
}

void SqliteOutbox::rolled_back() noexcept {
    last_event_ = last_event_committed_;
    for (auto moved = group_.rbegin(); moved != group_.rend(); ++moved) {
        if (auto* to = counter(moved->mailbox, moved->to)) --*to;
        if (auto* from = counter(moved->mailbox, moved->from)) ++*from;
    }
    group_.clear();
    in_use_.clear();
    times_.clear();
    begun_.clear();
}

Result<bool> SqliteOutbox::needs(std::uint64_t segment) {
    const auto live = work_.first<std::int64_t>(sql_->live_in_segment, read_number, whole(segment));
    if (!live) return {boost::system::in_place_error, live.error()};
    const auto changed = in_use_.find(segment);
    return live->value_or(0) + (changed == in_use_.end() ? 0 : changed->second.live) > 0;
}

Result<void> SqliteOutbox::let_go(std::uint64_t segment) {
    in_use_.erase(segment);
    return work_.write(sql_->let_go, whole(segment));
}

std::uint64_t* SqliteOutbox::counter(MailboxNumber mailbox, SubmissionState state) {
    if (is_settled(state)) return nullptr;
    Counts& counts = counts_[mailbox];
    switch (state) {
        case SubmissionState::queued:
            return &counts.queued;
        case SubmissionState::sending:
            return &counts.sending;
        case SubmissionState::in_doubt:
            return &counts.in_doubt;
        default:
            return &counts.held;
    }
}

void SqliteOutbox::count(MailboxNumber mailbox, SubmissionState from, SubmissionState to) {
    if (auto* here = counter(mailbox, from)) --*here;
    if (auto* here = counter(mailbox, to)) ++*here;
    group_.push_back({mailbox, from, to});
}

Result<void> SqliteOutbox::put_due(const Submission& submission) {
    if (!submission.due) return {};
    const auto lane = lane_of(submission);
    if (const auto kept = times_.find(submission.mailbox); kept != times_.end()) {
        auto& first = kept->second[static_cast<std::size_t>(lane)];
        if (!first || *submission.due < *first) first = submission.due;
    }
    return work_.write(sql_->put_due, submission.mailbox, lane, millis(*submission.due), submission.id);
}

Result<void> SqliteOutbox::remove_due(const Submission& submission) {
    if (!submission.due) return {};
    times_.erase(submission.mailbox);
    return work_.write(sql_->remove_due, submission.mailbox, lane_of(submission), millis(*submission.due),
                       submission.id);
}

Result<Outbox::Accepted> SqliteOutbox::accept(const Submission& submission) {
    const bool may_begin_so = submission.state == SubmissionState::queued || submission.state == SubmissionState::held;
    if (!may_begin_so || !is_sound(submission.state, submission.due)) return errc::out_of_order;
    const auto mailbox = work_.first<std::int64_t>(sql_->has_mailbox, read_number, submission.mailbox);
    if (!mailbox) return mailbox.error();
    if (!*mailbox) return errc::unknown_id;
    if (!submission.key.empty()) {
        const auto known = submission_by_key(submission.key);
        if (!known) return known.error();
        const auto& before = *known;
        if (before) return Accepted{.id = *before, .known_before = true};
    }
    Submission kept = submission;
    kept.id = std::max(last_id_ + 1, millis(submission.accepted_at) << id_counter_bits);
    const BodyPlace& body = kept.body;
    const auto row = work_.write(
        sql_->add, kept.id, kept.mailbox, number(kept.state), number(kept.lane), std::int64_t{kept.attempts},
        millis(kept.accepted_at), kept.due ? millis(*kept.due) : -1, millis(kept.expires_at), millis(kept.changed_at),
        whole(body.segment), whole(body.offset), whole(body.length), std::int64_t{body.crc32c},
        std::string_view(kept.key), blob(kept.envelope), blob(kept.progress), std::string_view(kept.reason));
    if (!row) return row.error();
    const auto due = put_due(kept);
    if (!due) return due.error();
    Use& use = in_use_[body.segment];
    ++use.live;
    use.bytes_end = std::max(use.bytes_end, body.offset + body.length);
    last_id_ = kept.id;  // not taken back with the group: numbers may be left out
    count(kept.mailbox, SubmissionState::delivered, kept.state);
    return Accepted{.id = kept.id};
}

Result<std::vector<Submission>> SqliteOutbox::take(MailboxNumber mailbox, std::int64_t from_lane, std::int64_t to_lane,
                                                   Millis now, std::size_t limit) {
    struct Place {
        SubmissionId id;
        Millis at;
    };
    const auto read_place_in_lane = [](const Statement::Rows& row) {
        return Place{row.number(0), time_of(row.number(1))};
    };
    std::vector<Submission> found;
    auto times = earliest(mailbox);
    if (!times) return times.error();
    times_.erase(mailbox);  // not true again before the end
    for (std::int64_t lane = from_lane; lane <= to_lane && found.size() < limit; ++lane) {
        auto& first = (*times)[static_cast<std::size_t>(lane)];
        if (!first || *first > now) continue;
        const auto wanted = limit - found.size();
        const auto front = work_.all<Place>(sql_->front, read_place_in_lane, mailbox, lane, whole(wanted + 1));
        if (!front) return front.error();
        first.reset();
        for (const auto& [id, at] : *front) {
            if (at > now || found.size() == limit) {
                first = at;
                break;
            }
            auto one = existing(id, errc::damaged);
            if (!one) return one.error();
            const auto removed = work_.write(sql_->remove_due, mailbox, lane, millis(at), id);
            if (!removed) return removed.error();
            found.push_back(std::move(*one));
            const auto begun = begin_attempt(found.back());
            if (!begun) return begun.error();
        }
    }
    keep_times(mailbox, *times);
    return found;
}

Result<void> SqliteOutbox::begin_attempt(Submission& submission) {
    const auto noted = work_.write(sql_->begin_attempt, submission.id);
    if (!noted) return noted;
    submission.due.reset();
    if (submission.state == SubmissionState::queued) {
        count(submission.mailbox, SubmissionState::queued, SubmissionState::sending);
        submission.state = SubmissionState::sending;
    }
    Submission& begun = begun_[submission.id];
    begun.id = submission.id;
    begun.mailbox = submission.mailbox;
    begun.state = submission.state;
    begun.lane = submission.lane;
    begun.body = submission.body;
    return {};
}

Result<std::vector<Submission>> SqliteOutbox::take_due(MailboxNumber mailbox, Millis now, std::size_t limit) {
    return take(mailbox, first_lane, last_lane, now, limit);
}

Result<std::vector<Submission>> SqliteOutbox::take_doubtful(MailboxNumber mailbox, Millis now, std::size_t limit) {
    return take(mailbox, doubt_lane, doubt_lane, now, limit);
}

/// Writes what has become of `before`, whose due row is gone.
Result<void> SqliteOutbox::put(const Submission& before, const Outcome& outcome) {
    const auto written = work_.write(sql_->change, before.id, number(outcome.state), std::int64_t{outcome.attempts},
                                     outcome.due ? millis(*outcome.due) : -1, millis(outcome.at),
                                     blob(outcome.progress), std::string_view(outcome.reason));
    if (!written) return written.error();
    Submission after = before;
    after.state = outcome.state;
    after.due = outcome.due;
    const auto due = put_due(after);
    if (!due) return due.error();
    if (is_settled(outcome.state)) --in_use_[before.body.segment].live;
    count(before.mailbox, before.state, outcome.state);
    return {};
}

Result<void> SqliteOutbox::settle(SubmissionId id, const Outcome& outcome) {
    if (!is_sound(outcome.state, outcome.due)) return errc::out_of_order;
    std::optional<Submission> before;
    if (auto begun = begun_.extract(id)) {
        before = std::move(begun.mapped());
    } else {
        auto read = existing(id, errc::unknown_id);  // taken before the start, or in a transaction that failed
        if (!read) return read.error();
        before = std::move(*read);
    }
    const auto ended = work_.write(sql_->end_attempt, id);
    if (!ended) return ended.error();
    if (work_.database().changes() == 0) return errc::out_of_order;
    return put(*before, outcome);
}

Result<void> SqliteOutbox::change(SubmissionId id, const Outcome& outcome) {
    if (!is_sound(outcome.state, outcome.due)) return errc::out_of_order;
    const auto before = existing(id, errc::unknown_id);
    if (!before) return before.error();
    if (is_settled(before->state)) return errc::out_of_order;
    const auto taken = work_.first<std::int64_t>(sql_->is_taken, read_number, id);
    if (!taken) return taken.error();
    if (*taken) return errc::out_of_order;
    const auto removed = remove_due(*before);
    if (!removed) return removed.error();
    return put(*before, outcome);
}

Result<std::vector<Submission>> SqliteOutbox::taken(std::size_t limit) {
    const auto ids = work_.all<SubmissionId>(sql_->attempts, read_number, whole(limit));
    if (!ids) return ids.error();
    return read_all(*ids);
}

Result<std::vector<Submission>> SqliteOutbox::read_all(const std::vector<SubmissionId>& ids) {
    std::vector<Submission> found;
    found.reserve(ids.size());
    for (const auto id : ids) {
        auto one = existing(id, errc::damaged);
        if (!one) return one.error();
        found.push_back(std::move(*one));
    }
    return found;
}

/// `absent` is the error when there is none.
Result<Submission> SqliteOutbox::existing(SubmissionId id, errc absent) {
    auto found = submission(id);
    if (!found) return found.error();
    auto& row = *found;
    if (!row) return absent == errc::damaged ? work_.noted(absent) : make_error_code(absent);
    return std::move(*row);
}

Result<std::optional<Submission>> SqliteOutbox::submission(SubmissionId id) {
    return work_.first<Submission>(sql_->by_id, read_submission, id);
}

Result<std::optional<SubmissionId>> SqliteOutbox::submission_by_key(std::string_view key) {
    return work_.first<SubmissionId>(sql_->id_of_key, read_number, key);
}

Result<std::vector<Submission>> SqliteOutbox::submissions(Which which, SubmissionId after, std::size_t limit) {
    if (which == Which::all) {
        const auto ids = work_.all<SubmissionId>(sql_->ids, read_number, after, whole(limit));
        if (!ids) return ids.error();
        return read_all(*ids);
    }
    std::vector<SubmissionId> waiting;
    for (const auto state : {SubmissionState::queued, SubmissionState::in_doubt, SubmissionState::held}) {
        const auto ids = work_.all<SubmissionId>(sql_->ids_in_state, read_number, number(state), after, whole(limit));
        if (!ids) return ids.error();
        waiting.insert(waiting.end(), ids->begin(), ids->end());
    }
    std::sort(waiting.begin(), waiting.end());
    if (waiting.size() > limit) waiting.resize(limit);
    return read_all(waiting);
}

/// From lane to lane, over those that are empty: most mailboxes use one.
Result<SqliteOutbox::LaneTimes> SqliteOutbox::earliest(MailboxNumber mailbox) {
    if (const auto kept = times_.find(mailbox); kept != times_.end()) return kept->second;
    using First = std::pair<std::size_t, Millis>;
    const auto read = [](const Statement::Rows& row) {
        return First(static_cast<std::size_t>(row.number(0)), time_of(row.number(1)));
    };
    LaneTimes times;
    for (std::int64_t behind = first_lane - 1; behind < doubt_lane;) {
        const auto first = work_.first<First>(sql_->first_behind_lane, read, mailbox, behind);
        if (!first) return first.error();
        const auto& row = *first;
        if (!row) break;
        const auto& [lane, at] = *row;
        if (lane >= times.size()) return work_.noted(errc::damaged);
        times[lane] = at;
        behind = static_cast<std::int64_t>(lane);
    }
    keep_times(mailbox, times);
    return times;
}

void SqliteOutbox::keep_times(MailboxNumber mailbox, const LaneTimes& times) {
    if (times_.size() >= kept_times_max) times_.clear();
    times_.insert_or_assign(mailbox, times);
}

Result<Outbox::Due> SqliteOutbox::due_of(MailboxNumber mailbox) {
    const auto times = earliest(mailbox);
    if (!times) return times.error();
    Due due{.mailbox = mailbox, .queued = {}, .doubtful = times->back()};
    for (std::size_t lane = 0; lane + 1 < times->size(); ++lane) {
        const auto& at = (*times)[lane];
        if (at && (!due.queued || *at < *due.queued)) due.queued = at;
    }
    return due;
}

Result<std::vector<Outbox::Due>> SqliteOutbox::due(MailboxNumber after, std::size_t limit) {
    std::vector<Due> found;
    while (found.size() < limit) {
        const auto next = work_.first<MailboxNumber>(sql_->next_mailbox, read_number, after);
        if (!next) return next.error();
        const auto& mailbox = *next;
        if (!mailbox) break;
        const auto here = due_of(*mailbox);
        if (!here) return here.error();
        found.push_back(*here);
        after = *mailbox;
    }
    return found;
}

Result<Outbox::Counts> SqliteOutbox::counts_of(MailboxNumber mailbox) {
    const auto found = counts_.find(mailbox);
    return found == counts_.end() ? Counts() : found->second;
}

Result<Outbox::Counts> SqliteOutbox::counts() {
    Counts sum;
    for (const auto& [mailbox, here] : counts_) {
        sum.queued += here.queued;
        sum.sending += here.sending;
        sum.in_doubt += here.in_doubt;
        sum.held += here.held;
    }
    return sum;
}

Result<SubmissionId> SqliteOutbox::forget(SubmissionId after, Millis before, std::size_t limit) {
    using Seen = std::pair<SubmissionId, bool>;
    const auto seen = work_.all<Seen>(
        sql_->settled, [](const Statement::Rows& row) { return Seen(row.number(0), row.number(1) != 0); }, after,
        millis(before), whole(limit));
    if (!seen) return seen.error();
    for (const auto& [id, is_old] : *seen) {
        if (!is_old || id == last_id_) continue;  // the highest number stays known
        const auto forgotten = work_.write(sql_->forget, id);
        if (!forgotten) return forgotten.error();
    }
    return seen->size() < limit ? SubmissionId{0} : seen->back().first;
}

Result<std::int64_t> SqliteOutbox::add_event(const OutboxEvent& event) {
    const std::int64_t next = last_event_ + 1;
    const auto written = work_.write(sql_->add_event, next, event.submission, event.mailbox, millis(event.at),
                                     std::string_view(event.kind), blob(event.detail));
    if (!written) return written.error();
    last_event_ = next;
    return next;
}

Result<std::vector<OutboxEvent>> SqliteOutbox::events(std::int64_t after, std::size_t limit) {
    return work_.all<OutboxEvent>(sql_->events, read_event, after, whole(limit));
}

Result<void> SqliteOutbox::forget_events(std::int64_t up_to) {
    return work_.write(sql_->forget_events, up_to, last_event_);  // the last one stays: numbers go on from it
}

}  // namespace store
