#include "engine/live_view.hpp"

#include <fmt/format.h>

#include <iterator>

using namespace std::chrono_literals;

namespace {

constexpr auto rate_window = 10s;

double seconds_since_epoch(WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

}  // namespace

LiveView::LiveView(Sources sources) : sources_(std::move(sources)), started_at_(sources_.clock.wall()) {}

void LiveView::sample() {
    Sample sample;
    sample.at = sources_.clock.now();
    sample.messages = sources_.counters.messages_stored;
    sample.bytes = sources_.counters.message_bytes_stored;
    const std::lock_guard lock(mutex_);
    samples_.push_back(sample);
    while (samples_.size() > 2 && sample.at - samples_.front().at > rate_window) samples_.pop_front();
}

std::optional<control::Live::MailboxState> LiveView::mailbox(std::string_view id) const {
    const auto found = sources_.board.find(id);
    if (!found) return std::nullopt;
    MailboxState state;
    state.state = retriever::word_of(found->phase);
    state.reason = found->reason;
    state.last_proof = found->last_proof;
    state.next_attempt = found->next_attempt;
    state.audit = found->audit;
    state.shadow_missed = found->shadow_missed;
    return state;
}

/// Whoever serves it hears of it as of a new configuration.
std::optional<WallTime> LiveView::audit(const std::string& id) {
    const auto asked_at = sources_.clock.wall();
    if (!sources_.board.ask_audit(id)) return std::nullopt;
    sources_.changed();
    return asked_at;
}

std::vector<std::string> LiveView::mailboxes_in(std::string_view state, std::string_view after,
                                                std::size_t limit) const {
    std::vector<std::string> ids;
    for (const auto& mailbox : sources_.board.all()) {
        if (mailbox.id <= after || retriever::word_of(mailbox.phase) != state) continue;
        if (ids.size() == limit) break;
        ids.push_back(mailbox.id);
    }
    return ids;
}

std::optional<control::Live::CredentialState> LiveView::credential(const std::string& id) const {
    const auto found = sources_.tokens.state(id);
    if (!found) return std::nullopt;
    CredentialState state{
        .meaning = found->state, .reason = found->reason, .access_token_ends = {}, .next_attempt = found->retry_at};
    if (found->expires_at != WallTime()) state.access_token_ends = found->expires_at;
    return state;
}

control::Live::Summary LiveView::summary() const {
    const auto& counters = sources_.counters;
    Summary summary;
    summary.started_at = started_at_;
    summary.sessions = counters.sessions_live;
    summary.idle_sessions = counters.sessions_idle;
    const auto tally = sources_.board.tally();
    summary.mailboxes = tally.mailboxes;
    summary.not_served = tally.with_reason;
    summary.audited_mailboxes = tally.audited;
    summary.unaccounted_messages = tally.unaccounted;
    summary.oldest_audit = tally.oldest_audit;
    summary.shadows = tally.shadows;
    summary.shadow_missed = tally.shadow_missed;
    summary.messages_stored = counters.messages_stored;
    summary.messages_delivered = counters.messages_delivered;
    const auto durable = counters.arrival_to_durable.snapshot();
    summary.arrival_to_durable_p50_seconds = durable.quantile(0.5);
    summary.arrival_to_durable_p99_seconds = durable.quantile(0.99);
    const auto delivered = counters.durable_to_delivered.snapshot();
    summary.durable_to_delivered_p50_seconds = delivered.quantile(0.5);
    summary.durable_to_delivered_p99_seconds = delivered.quantile(0.99);
    for (const auto& state : sources_.hand_offs.states()) {
        summary.consumers.push_back({state.consumer, state.kind, state.place, state.stats.delivered_mails,
                                     state.stats.waiting_mailboxes, state.stats.last_reason});
    }
    for (const auto& expiry : sources_.expiries.expiries()) {
        const auto now = sources_.clock.wall();
        if (!tokens::warning_at(expiry.at, now)) continue;
        summary.expiring.push_back({expiry.credential, std::string(tokens::word_of(expiry.what)), expiry.at,
                                    tokens::days_left(expiry.at, now), std::string(tokens::remedy_for(expiry.what))});
    }
    const std::lock_guard lock(mutex_);
    if (samples_.size() > 1) {
        const auto& first = samples_.front();
        const auto& last = samples_.back();
        const double span = std::chrono::duration<double>(last.at - first.at).count();
        summary.messages_per_second = static_cast<double>(last.messages - first.messages) / span;
        summary.bytes_per_second = static_cast<double>(last.bytes - first.bytes) / span;
    }
    return summary;
}

void LiveView::rewound(const std::string& consumer, std::int64_t mailbox_number, std::int64_t repeat_until) {
    const auto hand_off = sources_.hand_offs.outlet(consumer).current();
    if (hand_off) hand_off->rewound(mailbox_number, repeat_until);
}

bool LiveView::retry_set_aside(const std::string& consumer, std::int64_t mailbox_number, std::int64_t seq) {
    const auto hand_off = sources_.hand_offs.outlet(consumer).current();
    if (hand_off) hand_off->retry(mailbox_number, seq);
    return hand_off != nullptr;
}

std::string LiveView::metrics() const {
    std::vector<runtime::Metric> metrics;
    std::map<std::string_view, double> phases;
    const auto states = sources_.board.all();
    for (const auto& state : states) ++phases[retriever::word_of(state.phase)];
    for (const auto& [word, count] : phases) {
        metrics.push_back(
            {"rohrpost_mailboxes", "Mailboxes by what they are doing.", count, {{"state", std::string(word)}}});
    }
    for (const auto& state : states) {
        if (!state.last_proof) continue;
        metrics.push_back({"rohrpost_mailbox_last_proof_timestamp_seconds",
                           "When it was last proved that no mail of the mailbox was missed.",
                           seconds_since_epoch(*state.last_proof),
                           {{"mailbox", state.id}}});
    }
    for (const auto& state : states) {
        if (!state.shadow_missed) continue;
        metrics.push_back({"rohrpost_shadow_missed_messages",
                           "Messages of a shadow mailbox that the other product has not taken in time so far.",
                           static_cast<double>(*state.shadow_missed),
                           {{"mailbox", state.id}}});
    }
    const auto tally = sources_.board.tally();
    metrics.push_back({"rohrpost_unaccounted_messages",
                       "Messages on mail servers that the last audits could not account for.",
                       static_cast<double>(tally.unaccounted),
                       {}});
    metrics.push_back({"rohrpost_audited_mailboxes",
                       "Mailboxes that were compared with their servers since the start.",
                       static_cast<double>(tally.audited),
                       {}});
    if (tally.oldest_audit) {
        const auto age = sources_.clock.wall() - *tally.oldest_audit;
        metrics.push_back({"rohrpost_audit_age_seconds",
                           "How long ago the mailbox that was not audited for the longest time was.",
                           std::chrono::duration<double>(age).count(),
                           {}});
    }
    const auto& counters = sources_.counters;
    metrics.push_back({"rohrpost_sessions",
                       "Open connections to mail servers.",
                       static_cast<double>(counters.sessions_live.load()),
                       {}});
    metrics.push_back({"rohrpost_idle_sessions",
                       "Sessions that wait for news.",
                       static_cast<double>(counters.sessions_idle.load()),
                       {}});
    const auto committed = sources_.committer.stats();
    metrics.push_back({"rohrpost_work_queue_jobs",
                       "Jobs waiting for the committer.",
                       static_cast<double>(committed.queue_length),
                       {}});
    metrics.push_back(
        {"rohrpost_commits", "Groups committed since the start.", static_cast<double>(committed.groups), {}});
    metrics.push_back({"rohrpost_commit_seconds",
                       "Time spent in commits since the start.",
                       std::chrono::duration<double>(committed.commit_time).count(),
                       {}});
    metrics.push_back(
        {"rohrpost_disk_full", "1 while intake waits for room on the disk.", committed.disk_full ? 1.0 : 0.0, {}});
    for (const auto& state : sources_.hand_offs.states()) {
        metrics.push_back({"rohrpost_hand_off_waiting_mailboxes",
                           "Mailboxes with mail to hand off, by consumer.",
                           static_cast<double>(state.stats.waiting_mailboxes),
                           {{"consumer", state.consumer}}});
    }
    for (const auto& state : sources_.tokens.states()) {
        metrics.push_back({"rohrpost_access_token_expiry_timestamp_seconds",
                           "When the access token of a credential ends.",
                           seconds_since_epoch(state.expires_at),
                           {{"credential", state.credential}}});
    }
    for (const auto& expiry : sources_.expiries.expiries()) {
        metrics.push_back({"rohrpost_credential_expiry_timestamp_seconds",
                           "When a client secret or certificate ends, or a refresh token dies of disuse.",
                           seconds_since_epoch(expiry.at),
                           {{"credential", expiry.credential}, {"what", std::string(tokens::word_of(expiry.what))}}});
    }
    auto more = sources_.more_metrics();
    std::move(more.begin(), more.end(), std::back_inserter(metrics));
    return runtime::exposition(sources_.counters, metrics);
}

awaitable<void> LiveView::started() {
    while (!ready_) co_await sources_.timers.sleep_for(20ms);
}

std::string LiveView::not_ready() const {
    if (!ready_) return "starting: the configuration is being read";
    if (const auto stopped = sources_.committer.stats().stopped_by) return "the store has failed: " + stopped.message();
    if (sources_.committer.stats().disk_full) return "the disk is full: intake waits";
    return {};
}
