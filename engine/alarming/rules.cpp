#include "engine/alarming/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace alarming {
namespace {

using tokens::Meaning;
using Conditions = std::vector<Condition>;

constexpr std::uint64_t mebibyte = 1ULL << 20U;
constexpr std::uint64_t disk_low_bytes = 1024 * mebibyte;
constexpr std::uint64_t disk_low_percent = 5;

/// In minutes, from two hours on in hours.
std::string span_text(std::chrono::nanoseconds span) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(span).count();
    return minutes < 120 ? fmt::format("{} minutes", minutes) : fmt::format("{} hours", minutes / 60);
}

bool is_dead(const tokens::TokenService::State& credential) {
    return credential.state == Meaning::consent_needed || credential.state == Meaning::operator_must_act;
}

std::set<std::string> dead_grants(const Facts& facts, Conditions& into) {
    std::set<std::string> dead;
    for (const auto& credential : facts.credentials) {
        if (!is_dead(credential)) continue;
        dead.insert(credential.credential);
        const auto mailboxes = std::count_if(facts.credential_of.begin(), facts.credential_of.end(),
                                             [&](const auto& entry) { return entry.second == credential.credential; });
        const bool consent = credential.state == Meaning::consent_needed;
        into.push_back({.rule = Rule::grant_dead,
                        .subject = credential.credential,
                        .step = {},
                        .what = fmt::format("nobody can log in with credential {} ({} mailboxes): {}",
                                            credential.credential, mailboxes, credential.reason),
                        .remedy = consent
                                      ? fmt::format("authorize it again: rohrpost authorize {}", credential.credential)
                                      : std::string("rohrpost check names the cause and the remedy")});
    }
    return dead;
}

/// The highest of 30, 14, 7, 1 and 0 days that is reached: each is told once.
std::optional<int> step_of(int days_left) {
    constexpr std::array steps{0, 1, 7, 14, 30};
    const auto* step = std::find_if(steps.begin(), steps.end(), [days_left](int days) { return days_left <= days; });
    return step == steps.end() ? std::nullopt : std::optional(*step);
}

void endings(const Facts& facts, Conditions& into) {
    for (const auto& one : facts.expiring) {
        const auto step = step_of(one.days_left);
        if (!step) continue;
        const auto when = one.days_left < 0 ? std::string("has ended") : fmt::format("ends in {} days", one.days_left);
        into.push_back({.rule = Rule::grant_ending,
                        .subject = fmt::format("{} {}", one.credential, one.what),
                        .step = std::to_string(*step),
                        .what = fmt::format("the {} of credential {} {}", one.what, one.credential, when),
                        .remedy = one.remedy});
    }
}

void mailboxes(const Facts& facts, const Limits& limits, const std::set<std::string>& dead, Conditions& into) {
    for (const auto& mailbox : facts.mailboxes) {
        if (mailbox.phase == retriever::Phase::paused) continue;
        const auto credential = facts.credential_of.find(mailbox.id);
        if (credential != facts.credential_of.end() && dead.contains(credential->second)) continue;
        if (mailbox.phase == retriever::Phase::needs_help) {
            into.push_back({.rule = Rule::mailbox_stuck,
                            .subject = mailbox.id,
                            .step = {},
                            .what = fmt::format("mailbox {} is not fetched: {}", mailbox.id, mailbox.reason),
                            .remedy = fmt::format("rohrpost check {}", mailbox.id)});
            continue;
        }
        if (!mailbox.hindered.empty()) {
            into.push_back({.rule = Rule::mailbox_stuck,
                            .subject = mailbox.id,
                            .step = {},
                            .what = fmt::format("mailbox {} is fetched in part: {}", mailbox.id, mailbox.hindered),
                            .remedy = fmt::format("rohrpost check {}", mailbox.id)});
        }
        const auto since = std::max(mailbox.last_proof.value_or(facts.started_at), facts.started_at);
        const bool proved = mailbox.last_proof && *mailbox.last_proof >= facts.started_at;
        const bool still = facts.silent_before.contains(mailbox.id) && !proved;  // a restart proves nothing
        if (facts.now - since < limits.silence && !still) continue;
        const auto reason = mailbox.reason.empty() ? std::string(retriever::word_of(mailbox.phase)) : mailbox.reason;
        into.push_back({.rule = Rule::mailbox_silent,
                        .subject = mailbox.id,
                        .step = {},
                        .what = fmt::format("nothing has proved for {} that mailbox {} misses no mail: {}",
                                            span_text(facts.now - since), mailbox.id, reason),
                        .remedy = fmt::format("rohrpost check {}", mailbox.id)});
    }
}

/// What an audit finds is fetched at once: this is what is left then.
void unaccounted(const Facts& facts, Conditions& into) {
    for (const auto& mailbox : facts.mailboxes) {
        if (!mailbox.audit || mailbox.audit->unknown() == 0) continue;
        into.push_back(
            {.rule = Rule::mail_unaccounted,
             .subject = mailbox.id,
             .step = {},
             .what = fmt::format("the server of mailbox {} has {} messages that the ledger does not know, and "
                                 "that could not be fetched",
                                 mailbox.id, mailbox.audit->unknown()),
             .remedy = fmt::format("rohrpost mailbox audit {}", mailbox.id)});
    }
}

void sending(const Facts& facts, const Limits& limits, const std::set<std::string>& dead, Conditions& into) {
    for (const auto& sender : facts.senders) {
        if (sender.phase != "parked" && sender.phase != "cannot send") continue;
        const auto credential = facts.credential_of.find(sender.mailbox);
        if (credential != facts.credential_of.end() && dead.contains(credential->second)) continue;
        into.push_back({.rule = Rule::sending_parked,
                        .subject = sender.mailbox,
                        .step = {},
                        .what = fmt::format("mailbox {} does not send: {}", sender.mailbox, sender.reason),
                        .remedy = "its mail waits, none is lost: rohrpost queue senders"});
    }
    const auto& queue = facts.queue;
    if (queue.oldest && facts.now - *queue.oldest >= limits.queue_age) {
        const auto why = queue.oldest_reason.empty() ? std::string("it has not had its turn") : queue.oldest_reason;
        into.push_back({.rule = Rule::queue_late,
                        .subject = {},
                        .step = {},
                        .what = fmt::format("mail waits to be sent for {}, the oldest is {}: {}",
                                            span_text(facts.now - *queue.oldest), queue.oldest_id, why),
                        .remedy = "rohrpost queue list, rohrpost queue senders"});
    }
    if (queue.doubts > 0) {
        into.push_back(
            {.rule = Rule::doubt_held,
             .subject = {},
             .step = {},
             .what = fmt::format("{} mails may have left or not, and Sent Items could not tell", queue.doubts),
             .remedy = "look whether they have arrived, then rohrpost queue release or cancel"});
    }
}

void applications(const Facts& facts, Conditions& into) {
    for (const auto& consumer : facts.consumers) {
        if (consumer.reason.empty()) continue;
        into.push_back({.rule = Rule::consumer_failing,
                        .subject = consumer.id,
                        .step = {},
                        .what = fmt::format("consumer {} does not take its mail ({} mailboxes wait): {}", consumer.id,
                                            consumer.waiting_mailboxes, consumer.reason),
                        .remedy = "its mail is kept until it does"});
    }
    for (const auto& webhook : facts.webhooks) {
        if (webhook.reason.empty()) continue;
        into.push_back({.rule = Rule::webhook_failing,
                        .subject = webhook.id,
                        .step = {},
                        .what = fmt::format("webhook {} does not take its events: {}", webhook.id, webhook.reason),
                        .remedy = "they are kept for 7 days"});
    }
}

void disk(const Facts& facts, Conditions& into) {
    if (facts.disk_full) {
        into.push_back({.rule = Rule::disk_full,
                        .subject = {},
                        .step = {},
                        .what = fmt::format("the disk of {} is full: intake waits, nothing is lost", facts.data),
                        .remedy = "make room"});
    }
    const bool low = facts.disk_size > 0 && facts.disk_free < disk_low_bytes &&
                     facts.disk_free / mebibyte * 100 < facts.disk_size / mebibyte * disk_low_percent;
    if (low && !facts.disk_full) {
        into.push_back(
            {.rule = Rule::disk_low,
             .subject = {},
             .step = {},
             .what = fmt::format("{} MiB are left on the disk of {}", facts.disk_free / mebibyte, facts.data),
             .remedy = "make room before it is full"});
    }
    if (!facts.store_failure.empty()) {
        into.push_back(
            {.rule = Rule::store_failed,
             .subject = {},
             .step = {},
             .what = fmt::format("the store in {} has failed: {}; the daemon ends", facts.data, facts.store_failure),
             .remedy = "see to the disk; what was acknowledged is recovered at the next start"});
    }
}

}  // namespace

std::vector<Condition> conditions_of(const Facts& facts, const Limits& limits) {
    Conditions all;
    const auto dead = dead_grants(facts, all);
    endings(facts, all);
    mailboxes(facts, limits, dead, all);
    unaccounted(facts, all);
    sending(facts, limits, dead, all);
    applications(facts, all);
    disk(facts, all);
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.rule < b.rule; });
    return all;
}

}  // namespace alarming
