#include "engine/alarms.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "engine/runtime/log.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::string_view board_row = "alarms";
constexpr auto between_looks = 5s;
constexpr int between_mails = 10;  // times the patience, so that a bad day does not fill a mailbox
constexpr int way_patience = 20;   // then the next mailbox is tried
constexpr std::size_t rows_looked_at = 500;
constexpr auto life = 24h;  // of a mail about an alarm

using Change = alarming::Board::Change;

std::string_view kind_of(const Change& change) {
    return change.is == Change::Is::raised ? "alarm.raised" : "alarm.cleared";
}

store::OutboxEvent event_of(const Change& change, WallTime now) {
    const auto& condition = change.condition;
    boost::json::object detail{{"rule", alarming::word_of(condition.rule)}};
    if (!condition.subject.empty()) detail["subject"] = condition.subject;
    detail["what"] = condition.what;
    if (!condition.remedy.empty()) detail["remedy"] = condition.remedy;
    store::OutboxEvent event;
    event.at = std::chrono::time_point_cast<std::chrono::milliseconds>(now);
    event.kind = kind_of(change);
    event.detail = boost::json::serialize(detail);
    return event;
}

/// What waits to be sent, as far as it is looked at.
struct QueueWork {
    WallTime now;
    Result<alarming::Facts::Queue> operator()(store::Workbench bench) const {
        auto& outbox = bench.store.outbox();
        alarming::Facts::Queue queue;
        const auto counts = outbox.counts();
        if (!counts) return counts.error();
        if (counts->queued + counts->sending + counts->in_doubt == 0) return queue;
        const auto rows = outbox.submissions(store::Outbox::Which::waiting, 0, rows_looked_at);
        if (!rows) return rows.error();
        for (const auto& row : *rows) {
            if (row.state == store::SubmissionState::in_doubt && !row.due) ++queue.doubts;
            const bool begun = row.attempts > 0 || (row.due && *row.due <= now);
            if (queue.oldest || row.state != store::SubmissionState::queued || !begun) continue;
            queue.oldest = row.accepted_at;
            queue.oldest_id = submission::id_text(row.id);
            queue.oldest_reason = row.reason;
        }
        return queue;
    }
};

control::Alarming::Alarm shown(alarming::Condition condition) {
    return {.rule = std::string(alarming::word_of(condition.rule)),
            .subject = std::move(condition.subject),
            .step = std::move(condition.step),
            .what = std::move(condition.what),
            .remedy = std::move(condition.remedy),
            .since = {},
            .raised_at = {}};
}

void log(const Change& change) {
    const auto& condition = change.condition;
    if (change.is == Change::Is::raised) {
        spdlog::error("alarm={} subject={} what={} remedy={}", alarming::word_of(condition.rule),
                      runtime::value(condition.subject), runtime::value(condition.what),
                      runtime::value(condition.remedy));
    } else {
        spdlog::info("alarm={} subject={} over", alarming::word_of(condition.rule), runtime::value(condition.subject));
    }
}

}  // namespace

/// The mails, what webhooks hear, and that it was told: all of it or nothing.
struct Alarms::TellWork {
    submission::Senders* senders = nullptr;
    std::vector<std::pair<std::size_t, submission::Draft>> drafts;  // with the place in the caller's list
    std::vector<store::OutboxEvent> events;
    std::string board;

    struct Handed {
        std::size_t place = 0;
        store::SubmissionId submission = 0;
        store::MailboxNumber mailbox = 0;
    };
    Result<std::vector<Handed>> operator()(store::Workbench bench) {
        std::vector<Handed> handed;
        for (auto& [place, draft] : drafts) {
            submission::AcceptWork accept{senders, std::move(draft), true};
            const auto accepted = accept(bench);
            if (!accepted && accepted.error() == submission::errc::unknown_sender) continue;  // gone meanwhile
            if (!accepted) return accepted.error();
            handed.push_back({place, accepted->id, accepted->mailbox});
        }
        for (const auto& event : events) {
            const auto added = bench.store.outbox().add_event(event);
            if (!added) return added.error();
        }
        if (board.empty()) return handed;
        const auto kept = bench.store.put_meta(board_row, board);
        if (!kept) return kept.error();
        return handed;
    }
};

/// What has become of mails. One that is late is taken back, unless it is on its way.
struct Alarms::LeftWork {
    struct Mail {
        store::SubmissionId id = 0;
        bool late = false;
    };
    std::vector<Mail> mails;
    store::Millis now;
    enum class Is { waiting, left, lost };

    Result<std::vector<Is>> operator()(store::Workbench bench) const {
        auto& outbox = bench.store.outbox();
        std::vector<Is> found;
        for (const auto& mail : mails) {
            const auto row = outbox.submission(mail.id);
            if (!row) return row.error();
            using State = store::SubmissionState;
            if (!*row || (*row)->state == State::delivered || (*row)->state == State::in_doubt) {
                found.push_back(Is::left);
            } else if ((*row)->state == State::failed || (*row)->state == State::cancelled) {
                found.push_back(Is::lost);
            } else if (mail.late && (*row)->state != State::sending) {
                const store::Outcome outcome{.state = State::cancelled,
                                             .due = {},
                                             .attempts = (*row)->attempts,
                                             .at = now,
                                             .progress = (*row)->progress,
                                             .reason = "it did not leave in time: told through another mailbox"};
                const auto taken_back = outbox.change(mail.id, outcome);
                if (!taken_back) return taken_back.error();
                found.push_back(Is::lost);
            } else {
                found.push_back(Is::waiting);
            }
        }
        return found;
    }
};

void Alarms::serve(std::vector<config::AlarmMail> mails, const Roster& roster) {
    mails_ = std::move(mails);
    address_of_.clear();
    credential_of_.clear();
    for (const auto& served : roster.mailboxes) credential_of_[served.mailbox->id] = served.mailbox->credential;
    for (const auto& sender : roster.senders) {
        address_of_[sender.id] = sender.address;
        credential_of_[sender.id] = sender.credential;
    }
}

awaitable<alarming::Board> Alarms::read_board() {
    for (;;) {
        auto work = [](store::Workbench bench) { return bench.store.meta(board_row); };
        auto written = co_await uses_.committer.run(uses_.main.inbox(), work);
        if (written) co_return alarming::Board::read(*written ? **written : std::string());
        co_await uses_.main.timers().sleep_for(between_looks);
    }
}

awaitable<void> Alarms::watch() {
    board_ = co_await read_board();
    show();
    for (;;) {
        co_await uses_.main.timers().sleep_for(std::min<std::chrono::milliseconds>(between_looks, uses_.patience));
        if (!uses_.view.is_ready()) continue;
        co_await look();
        co_await follow_up();
        const auto now = uses_.main.timers().now();
        const bool gathered = pending_since_ && now - *pending_since_ >= uses_.patience;
        const bool may = !told_at_ || now - *told_at_ >= between_mails * uses_.patience;
        if (!gathered || !may) continue;
        const bool told = co_await tell();
        if (told) {
            pending_.clear();
            pending_since_.reset();
            posted_ = 0;
            told_at_ = now;
        } else {
            co_await post_past_the_store();
        }
    }
}

awaitable<alarming::Facts> Alarms::gather() {
    alarming::Facts facts;
    const auto summary = uses_.view.summary();
    facts.now = wall();
    facts.started_at = summary.started_at;
    facts.credentials = uses_.tokens.states();
    facts.expiring = summary.expiring;
    facts.mailboxes = uses_.board.all();
    facts.credential_of = credential_of_;
    for (const auto& entry : board_.raised()) {
        if (entry.condition.rule == alarming::Rule::mailbox_silent) facts.silent_before.insert(entry.condition.subject);
    }
    facts.senders = uses_.outgoing.senders();
    facts.consumers = summary.consumers;
    for (const auto& feed : uses_.feeds.states()) facts.webhooks.push_back({feed.webhook, feed.stats.reason});
    facts.data = uses_.data;
    const auto stats = uses_.committer.stats();
    facts.disk_full = stats.disk_full;
    std::error_code unknown;
    const auto space = std::filesystem::space(uses_.data, unknown);
    if (!unknown) {
        facts.disk_free = space.available;
        facts.disk_size = space.capacity;
    }
    if (!facts.senders.empty()) {
        QueueWork work{facts.now};
        auto queue = co_await uses_.committer.run(uses_.main.inbox(), std::move(work));
        if (queue) facts.queue = std::move(*queue);
    }
    co_return facts;
}

awaitable<std::vector<control::Alarming::Alarm>> Alarms::conditions() {
    const auto facts = co_await gather();
    std::vector<Alarm> found;
    for (auto& condition : alarming::conditions_of(facts, uses_.limits)) found.push_back(shown(std::move(condition)));
    co_return found;
}

/// What the watched server says is wrong with it, or that it says nothing.
awaitable<std::vector<alarming::Condition>> Alarms::conditions_there() {
    auto reply = co_await uses_.watched->call("GET", "/v1/alarms", "");
    std::vector<alarming::Condition> found;
    const auto* list = reply.body.if_contains("conditions");
    if (reply.status != 200 || list == nullptr || !list->is_array()) {
        const auto why = reply.trouble.empty() ? fmt::format("HTTP {}", reply.status) : reply.trouble;
        found.push_back(
            {.rule = alarming::Rule::server_silent,
             .subject = uses_.watched_url,
             .step = {},
             .what = fmt::format("the services server {} cannot be asked how it is: {}", uses_.watched_url, why),
             .remedy = reply.remedy});
        co_return found;
    }
    for (const auto& value : list->get_array()) {
        const auto* object = value.if_object();
        const auto rule = object == nullptr ? std::nullopt : alarming::rule_of(console::text_at(*object, "rule"));
        if (!rule) continue;
        found.push_back({.rule = *rule,
                         .subject = console::text_at(*object, "subject"),
                         .step = console::text_at(*object, "step"),
                         .what = console::text_at(*object, "what"),
                         .remedy = console::text_at(*object, "remedy")});
    }
    co_return found;
}

/// Whoever hears nothing of a server says of nothing that it is over.
void Alarms::keep_standing(std::vector<alarming::Condition>& conditions) const {
    auto standing = board_.raised();
    for (auto& entry : standing) {
        const auto key = entry.condition.key();
        const bool there = std::any_of(conditions.begin(), conditions.end(),
                                       [&](const auto& condition) { return condition.key() == key; });
        if (!there) conditions.push_back(std::move(entry.condition));
    }
}

awaitable<void> Alarms::look() {
    const auto facts = co_await gather();
    auto conditions = alarming::conditions_of(facts, uses_.limits);
    if (uses_.watched != nullptr) {
        auto there = co_await conditions_there();
        const bool silent = there.size() == 1 && there.front().rule == alarming::Rule::server_silent;
        std::move(there.begin(), there.end(), std::back_inserter(conditions));
        if (silent) keep_standing(conditions);
    }
    auto changes = board_.look(conditions, facts.now, uses_.patience);
    if (changes.empty()) co_return;
    for (auto& change : changes) {
        log(change);
        pending_.push_back(std::move(change));
    }
    if (!pending_since_) pending_since_ = uses_.main.timers().now();
    show();
}

const config::AlarmMail* Alarms::mail_of(const Told& told) const {
    const auto found =
        std::find_if(mails_.begin(), mails_.end(), [&](const auto& known) { return known.id == told.mail; });
    return found == mails_.end() ? nullptr : &*found;
}

std::optional<std::string> Alarms::way_of(const config::AlarmMail& mail, const std::vector<std::string>& tried) const {
    const auto senders = uses_.outgoing.senders();
    std::optional<std::string> first;
    for (const auto& mailbox : mail.from) {
        if (!address_of_.contains(mailbox) || std::find(tried.begin(), tried.end(), mailbox) != tried.end()) continue;
        const auto found =
            std::find_if(senders.begin(), senders.end(), [&](const auto& sender) { return sender.mailbox == mailbox; });
        if (found != senders.end() && (found->phase == "idle" || found->phase == "sending" || found->phase == "pacing"))
            return mailbox;
        if (!first) first = mailbox;
    }
    return first;
}

std::optional<submission::Draft> Alarms::draft_of(const config::AlarmMail& mail, const std::string& mailbox,
                                                  const std::vector<Change>& changes) {
    const auto now = wall();
    const auto& from = address_of_.at(mailbox);
    submission::Order order;
    order.message = alarming::message_of({.from = from,
                                          .to = mail.to,
                                          .host = uses_.host,
                                          .changes = changes,
                                          .standing = board_.raised().size(),
                                          .at = now});
    order.sender = from;
    order.recipients = mail.to;
    order.lane = store::Lane::alarm;
    order.life = life;
    auto drafted = submission::drafted(std::move(order), uses_.random, now);
    if (auto* draft = std::get_if<submission::Draft>(&drafted)) return std::move(*draft);
    spdlog::error("id=alarm-mail alarm_mail={} reason={}", runtime::value(mail.id),
                  runtime::value(std::get<submission::Fault>(drafted).what));
    return std::nullopt;
}

/// Whether it is durable that it was told.
awaitable<bool> Alarms::tell() {
    TellWork work{.senders = uses_.senders.get(), .drafts = {}, .events = {}, .board = board_.written()};
    std::vector<Told> told;
    const auto now = wall();
    for (const auto& mail : mails_) {
        const auto way = way_of(mail, {});
        if (!way) {
            spdlog::error("id=alarm-not-sent alarm_mail={} none of its mailboxes sends", runtime::value(mail.id));
            continue;
        }
        auto draft = draft_of(mail, *way, pending_);
        if (!draft) continue;
        work.drafts.emplace_back(told.size(), std::move(*draft));
        told.push_back({.mail = mail.id, .tried = {*way}, .submission = 0, .at = now, .changes = pending_});
    }
    for (const auto& change : pending_) work.events.push_back(event_of(change, now));
    auto handed = co_await uses_.committer.run(uses_.main.inbox(), std::move(work));
    if (!handed) {
        spdlog::error("id=alarm-not-kept reason={}", runtime::value(handed.error().message()));
        co_return false;
    }
    for (const auto& one : *handed) {
        uses_.outgoing.queued(one.mailbox, std::chrono::time_point_cast<std::chrono::milliseconds>(now));
        told[one.place].submission = one.submission;
        told_.push_back(std::move(told[one.place]));
    }
    co_return true;
}

/// A mail that has not left goes through the next mailbox; where there is none, it goes on waiting.
awaitable<void> Alarms::follow_up() {
    if (told_.empty()) co_return;
    const auto now = wall();
    LeftWork look{.mails = {}, .now = std::chrono::time_point_cast<std::chrono::milliseconds>(now)};
    for (const auto& one : told_) {
        const auto* mail = mail_of(one);
        const bool other_way = mail != nullptr && way_of(*mail, one.tried);
        look.mails.push_back({one.submission, other_way && now - one.at >= way_patience * uses_.patience});
    }
    auto found = co_await uses_.committer.run(uses_.main.inbox(), std::move(look));
    if (!found) co_return;
    std::vector<Told> waiting;
    std::vector<std::pair<Told, std::string>> lost;  // with the way that is next
    TellWork again{.senders = uses_.senders.get(), .drafts = {}, .events = {}, .board = {}};
    for (std::size_t i = 0; i < told_.size(); ++i) {
        auto& one = told_[i];
        if ((*found)[i] == LeftWork::Is::waiting) waiting.push_back(std::move(one));
        if ((*found)[i] != LeftWork::Is::lost) continue;
        const auto* mail = mail_of(one);
        if (mail == nullptr) continue;
        auto way = way_of(*mail, one.tried);
        auto draft = way ? draft_of(*mail, *way, one.changes) : std::nullopt;
        if (!draft) {
            spdlog::error("id=alarm-not-sent alarm_mail={} no mailbox could send it", runtime::value(one.mail));
            continue;
        }
        again.drafts.emplace_back(lost.size(), std::move(*draft));
        lost.emplace_back(std::move(one), std::move(*way));
    }
    told_ = std::move(waiting);
    if (lost.empty()) co_return;
    auto handed = co_await uses_.committer.run(uses_.main.inbox(), std::move(again));
    if (!handed) {  // lost still: the next look tries again
        for (auto& [one, way] : lost) told_.push_back(std::move(one));
        co_return;
    }
    for (const auto& accepted : *handed) {
        uses_.outgoing.queued(accepted.mailbox, std::chrono::time_point_cast<std::chrono::milliseconds>(now));
        auto& [one, way] = lost[accepted.place];
        one.tried.push_back(std::move(way));
        one.submission = accepted.submission;
        one.at = now;
        told_.push_back(std::move(one));
    }
}

/// A full disk: webhooks hear of it all the same, once.
awaitable<void> Alarms::post_past_the_store() {
    const auto changes = pending_;
    const auto first = posted_;
    posted_ = changes.size();
    for (std::size_t i = first; i < changes.size(); ++i) co_await uses_.feeds.post_alarm(event_of(changes[i], wall()));
}

awaitable<void> Alarms::last_words(alarming::Condition condition) {
    const Change change{Change::Is::raised, std::move(condition), wall()};
    log(change);
    co_await uses_.feeds.post_alarm(event_of(change, wall()));
}

void Alarms::show() {
    std::vector<Alarm> standing;
    for (const auto& entry : board_.raised()) {
        standing.push_back(shown(entry.condition));
        standing.back().since = entry.since;
        standing.back().raised_at = *entry.raised;
    }
    const std::lock_guard lock(mutex_);
    shown_ = std::move(standing);
}

std::vector<control::Alarming::Alarm> Alarms::alarms() const {
    const std::lock_guard lock(mutex_);
    return shown_;
}

std::vector<runtime::Metric> Alarms::metrics() const {
    std::map<std::string, double> by_rule;
    for (const auto& alarm : alarms()) ++by_rule[alarm.rule];
    std::vector<runtime::Metric> metrics;
    for (const auto& [rule, count] : by_rule)
        metrics.push_back({"rohrpost_alarms", "Alarms that stand, by rule.", count, {{"rule", rule}}});
    return metrics;
}
