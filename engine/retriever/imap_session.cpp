#include "engine/retriever/imap_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/retriever/first_look.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr auto late_looks = 3U;  // Exchange announces mail before it can be fetched: look again soon, so often
constexpr auto late_pause = std::chrono::milliseconds(2s);
constexpr auto backfill_pause = std::chrono::milliseconds(1s);  // between two slices: what arrives goes first

/// Shows the running dialogue to drain() and resume().
class Shown {
public:
    Shown(imap::Client*& place, imap::Client& client) : place_(place) { place_ = &client; }
    ~Shown() { place_ = nullptr; }
    Shown(const Shown&) = delete;
    Shown& operator=(const Shown&) = delete;

private:
    imap::Client*& place_;
};

imap::Mechanism mechanism_of(const imap::Client& client, bool password) {
    if (!password) {
        const bool only_bearer = client.can("AUTH=OAUTHBEARER") && !client.can("AUTH=XOAUTH2");
        return only_bearer ? imap::Mechanism::oauthbearer : imap::Mechanism::xoauth2;
    }
    return client.can("AUTH=PLAIN") ? imap::Mechanism::plain : imap::Mechanism::login;
}

}  // namespace

void ImapSession::wake_dialogue() noexcept {
    if (client_ != nullptr) client_->wake_idle();
}

/// One connection, from the token to its end. An idle session keeps this frame and those below it: what only
/// connecting and logging in need is in frames that end before.
awaitable<Ended> ImapSession::serve() {
    enter(Phase::starting);
    auto place = co_await house_.gate.enter();
    if (told_to_stop()) co_return stopped();
    Begun begun;
    auto hindered = co_await connect(*place_->provider.imap, begun);
    if (hindered) co_return std::move(*hindered);

    const Counted live(house_.counters.sessions_live);
    imap::Client client(*begun.stream, house_.options.limits, house_.options.paces);
    const Shown shown(client_, client);
    auto ended = co_await converse(client, begun, std::move(place));
    if (ended.how == Ended::How::token_expired) token_expired(begun);
    if (spdlog::should_log(spdlog::level::debug)) show_last_lines(ended, client.last_lines());
    begun.stream->close();
    co_return ended;
}

awaitable<Ended> ImapSession::converse(imap::Client& client, Begun& begun, LoginGate::Place place) {
    auto refused = co_await introduce(client, begun, place);
    if (refused) co_return std::move(*refused);
    auto ended = co_await stay(client);
    ended.survived = std::chrono::duration_cast<std::chrono::milliseconds>(house_.seams.timers.now() - logged_in_at_);
    co_return ended;
}

/// From the greeting to a session that may open folders.
awaitable<std::optional<Ended>> ImapSession::introduce(imap::Client& client, Begun& begun, LoginGate::Place& place) {
    auto greeting = co_await client.greet();
    if (!greeting) {
        auto ended = ended_by(greeting.error(), client.bye());
        ended.reason = "greeting: " + ended.reason;
        co_return ended;
    }
    auto learned = co_await client.learn_capabilities();
    if (!learned) co_return ended_by(learned.error(), client.bye());
    auto refused = co_await log_in(client, begun);
    if (refused) co_return refused;
    place.leave();
    std::vector<std::pair<std::string, std::string>> who{{"name", "rohrpost"}};
    auto known = co_await client.identify(std::move(who));
    if (!known) co_return ended_by(known.error(), client.bye());
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> ImapSession::log_in(imap::Client& client, Begun& begun) {
    imap::Login login;
    login.mechanism = mechanism_of(client, password_);
    login.user = mailbox_->login;
    login.secret = Secret(std::string(std::exchange(begun.secret, {}).reveal()));
    login.host = place_->provider.imap->host;
    login.port = place_->provider.imap->port;
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return ended_by(answer.error(), client.bye());
    if (answer->ok()) {
        logged_in(begun);
        co_return std::nullopt;
    }
    co_return login_refused(
        ended_by(*answer, Ended::How::login_refused, fmt::format("the log-in as {}", mailbox_->login)), begun);
}

/// Fetches what is new, waits for news, and proves again and again that nothing was missed.
awaitable<Ended> ImapSession::stay(imap::Client& client) {
    const auto house = intake_house();
    Stay stay;
    stay.folders.reserve(mailbox_->folders.size());
    for (const auto& name : mailbox_->folders) {
        FolderIntake::Facts facts{mailbox_->id, state_.number, name, mailbox_->start};
        stay.folders.emplace_back(std::move(facts), house_.options.sizes, house, house_.options.fetch);
        Backfilling::Facts older{mailbox_->id, state_.number, name};
        stay.older.emplace_back(std::move(older), house);
        if (mailbox_->after == config::After::keep) continue;
        AfterWork::Facts after{mailbox_->id, state_.number, name, mailbox_->folders,
                               after_policy_of(*mailbox_, place_->provider)};
        stay.after.emplace_back(std::move(after), house);
    }
    auto unlooked = co_await look_first(client, stay);
    if (unlooked) co_return std::move(*unlooked);
    for (;;) {
        stay.audit_due = take_audit_due();
        stay.audit.reset();
        if (stay.audit_due != AuditDue::no) stay.audit.emplace();
        auto hindered = co_await take_all(client, stay);
        if (hindered) co_return std::move(*hindered);
        if (stay.audit && !told_to_stop()) hindered = co_await finish_audit(*std::exchange(stay.audit, std::nullopt));
        if (hindered) co_return std::move(*hindered);
        if (told_to_stop()) break;
        note_proof();
        stay.backfills = take_rung() || stay.backfills;
        const auto rings = house_.bell.rings(state_.number);
        hindered = co_await deal_with_mail(client, stay);
        if (hindered) co_return std::move(*hindered);
        if (told_to_stop()) break;
        if (stay.opened == nullptr) continue;  // for reading only again, before anything else
        house_.bell.answered(state_.number, rings);
        state_.caught_up = true;
        if (stay.backfills) {
            hindered = co_await take_older(client, stay);
            if (hindered) co_return std::move(*hindered);
            if (told_to_stop()) break;
            if (stay.opened == nullptr && !stay.backfills) continue;
            if (stay.opened == nullptr) {  // the folder that is waited in
                stay.opened = &stay.folders.front();
                hindered = co_await stay.folders.front().open(client);
                if (hindered) co_return std::move(*hindered);
            }
        }
        auto woken = co_await wait_for_news(client, stay);
        if (woken.ended) co_return std::move(*woken.ended);
        if (told_to_stop()) break;
        stay.pendings = FolderIntake::Pendings::leave;
        if (woken.by != imap::Client::Woken::time || stay.backfills) continue;
        stay.pendings = FolderIntake::Pendings::retry;
        auto lost = co_await look_from_outside(client, stay);
        if (lost) co_return std::move(*lost);
    }
    auto left = co_await client.log_out();
    if (!left) spdlog::debug("mailbox={} logout={}", mailbox_->id, runtime::value(left.error().message()));
    co_return stopped();
}

/// Fetches what is new in every folder.
awaitable<std::optional<Ended>> ImapSession::take_all(imap::Client& client, Stay& stay) {
    std::optional<Ended> frozen;
    std::uint64_t stored = 0;
    const auto exists_before = stay.opened == nullptr ? 0 : client.selected().exists;
    for (auto folder = stay.folders.rbegin(); folder != stay.folders.rend(); ++folder) {  // the first stays open
        if (stay.opened != &*folder) {
            stay.opened = &*folder;
            auto ended = co_await folder->open(client);
            if (ended && ended->how == Ended::How::folder && stay.folders.size() > 1) {
                if (stay.audit)
                    stay.audit->folders.push_back({.folder = folder->name(), .not_compared = ended->reason});
                frozen = std::move(ended);
                stay.opened = nullptr;
                continue;
            }
            if (ended) co_return ended;
        }
        if (told_to_stop()) co_return std::nullopt;
        enter(Phase::fetching);
        const auto began = house_.seams.timers.now();
        auto taken = co_await folder->take_new(client, stay.pendings, draining(), unfinished_);
        stored += taken.stored;
        state_.stored += taken.stored;
        if (taken.stored + taken.known_before + taken.pending > 0) {
            const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(house_.seams.timers.now() - began);
            spdlog::info("mailbox={} folder={} stored={} bytes={} known_before={} pending={} through_uid={} took_ms={}",
                         mailbox_->id, runtime::value(folder->name()), taken.stored, taken.bytes, taken.known_before,
                         taken.pending, folder->cursor(), took.count());
        }
        if (taken.ended) co_return std::move(taken.ended);
        if (!stay.audit || told_to_stop()) continue;
        auto ended = co_await audit(client, *folder, stay);
        if (ended) co_return ended;
    }
    if (frozen && !told_to_stop()) co_return frozen;
    const bool announced = client.selected().exists > exists_before && exists_before > 0;
    stay.late = announced && stored == 0 && stay.late < late_looks ? stay.late + 1 : 0;
    co_return std::nullopt;
}

/// What it finds is fetched at once, and compared again.
awaitable<std::optional<Ended>> ImapSession::audit(imap::Client& client, FolderIntake& folder, Stay& stay) {
    const bool is_long = !client.can("ESEARCH") && client.selected().exists > audited_each_time_max;
    if (is_long && stay.audit_due != AuditDue::all) {
        stay.audit->folders.push_back({.folder = folder.name(), .not_compared = "it is large: compared at night"});
        co_return std::nullopt;
    }
    auto audited = co_await folder.audit(client);
    if (audited.ended) co_return std::move(audited.ended);
    if (audited.unknown > 0) {
        stay.audit->found += audited.unknown;
        auto taken = co_await folder.take_new(client, FolderIntake::Pendings::retry, draining(), unfinished_);
        state_.stored += taken.stored;
        if (taken.ended) co_return std::move(taken.ended);
        audited = co_await folder.audit(client);
        if (audited.ended) co_return std::move(audited.ended);
    }
    stay.audit->folders.push_back(std::move(audited.result));
    co_return std::nullopt;
}

/// What is there before anything is fetched.
awaitable<std::optional<Ended>> ImapSession::look_first(imap::Client& client, Stay& stay) {
    for (const auto& folder : stay.folders) {
        FirstLook::Facts facts{mailbox_->id, state_.number, folder.name(), mailbox_->start};
        FirstLook look(std::move(facts), intake_house());
        auto ended = co_await look.take(client);
        if (ended) co_return ended;
        if (told_to_stop()) break;
    }
    co_return std::nullopt;
}

/// One slice of what an operator asked for; what arrives meanwhile goes before the next one.
awaitable<std::optional<Ended>> ImapSession::take_older(imap::Client& client, Stay& stay) {
    stay.backfills = false;
    for (std::size_t at = 0; at < stay.older.size(); ++at) {
        auto& folder = stay.folders[at];
        auto asked = co_await stay.older[at].asked_for();
        if (!asked) {
            Ended ended;
            ended.how = Ended::How::store;
            ended.reason = fmt::format("the store cannot be read: {}", asked.error().message());
            co_return ended;
        }
        if (!*asked) continue;
        if (stay.opened != &folder) {
            stay.opened = nullptr;
            auto ended = co_await folder.open(client);
            if (ended) co_return ended;
        }
        auto slice = co_await stay.older[at].take(client, folder, draining());
        state_.stored += slice.stored;
        stay.backfills = stay.backfills || slice.running;
        if (slice.ended) co_return std::move(slice.ended);
        if (told_to_stop()) break;
    }
    if (stay.backfills) stay.next_after = now() + backfill_pause;
    co_return std::nullopt;
}

store::Millis ImapSession::now() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(house_.seams.timers.clock().wall());
}

/// Does what is due with mail that was taken in. Where something was done, no folder counts as open.
awaitable<std::optional<Ended>> ImapSession::deal_with_mail(imap::Client& client, Stay& stay) {
    stay.next_after.reset();
    for (auto& after : stay.after) {
        auto done = co_await after.perform(client, draining());
        if (done.opened) stay.opened = nullptr;
        if (done.next) stay.next_after = std::min(stay.next_after.value_or(*done.next), *done.next);
        if (done.mails + done.gone > 0) {
            spdlog::info("mailbox={} folder={} after={} mails={} gone_before={}", mailbox_->id,
                         runtime::value(after.folder()), runtime::value(after.policy().text()), done.mails, done.gone);
        }
        if (done.ended) co_return std::move(done.ended);
        if (told_to_stop()) break;
    }
    co_return std::nullopt;
}

/// Time is over and nothing was announced: proves it by what the server says outside the folder's view.
awaitable<std::optional<Ended>> ImapSession::look_from_outside(imap::Client& client, Stay& stay) {
    auto counted = co_await client.status(mailbox_->folders.front());
    if (!counted) co_return ended_by(counted.error(), client.bye());
    if (!counted->answer.ok() || counted->status.uid_next == 0) co_return std::nullopt;
    const auto cursor = stay.folders.front().cursor();
    const bool missed = counted->status.uid_next > cursor + 1 && counted->status.uid_next > stay.uid_next;
    stay.uid_next = counted->status.uid_next;
    if (missed && stay.late == 0 && client.can("IDLE")) {
        idle_lies_ = true;
        stay.opened = nullptr;  // open again: a stalled view shows nothing new
        spdlog::warn("mailbox={} id=idle-silent news came without a notification; polling every {} s from now on",
                     mailbox_->id, house_.options.poll_interval.count() / 1000);
    }
    co_return std::nullopt;
}

/// Not longer than until then, and long enough for a clock that runs a little ahead.
std::chrono::milliseconds ImapSession::span_until(std::optional<store::Millis> due,
                                                  std::chrono::milliseconds most) const {
    if (!due) return most;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - house_.seams.timers.clock().wall());
    return std::clamp<std::chrono::milliseconds>(left, 1s, std::max<std::chrono::milliseconds>(most, 1s));
}

awaitable<ImapSession::News> ImapSession::wait_for_news(imap::Client& client, Stay& stay) {
    const bool late = stay.late > 0;
    enter(Phase::idle);
    const Counted idle(house_.counters.sessions_idle);
    News news;
    if (take_rung()) {
        stay.backfills = true;
        news.by = imap::Client::Woken::told;
        co_return news;
    }
    if (!client.can("IDLE")) {
        const auto span = late ? late_pause : span_until(stay.next_after, house_.options.poll_interval);
        co_await nap(span);
        if (told_to_stop()) co_return news;
        auto answer = co_await client.noop();
        if (!answer) news.ended = ended_by(answer.error(), client.bye());
        co_return news;
    }
    const bool look_often = idle_lies_ || mailbox_->folders.size() > 1;  // IDLE tells of the first folder alone
    const auto renew =
        look_often ? std::min(house_.options.poll_interval, house_.options.idle_renew) : house_.options.idle_renew;
    const auto span = late ? late_pause : span_until(stay.next_after, renew);
    auto woken = co_await client.idle(span);
    if (!woken) {
        news.ended = ended_by(woken.error(), client.bye());
        co_return news;
    }
    news.by = *woken;
    co_return news;
}

void ImapSession::note_proof() {
    state_.last_proof = house_.seams.timers.clock().wall();
    if (house_.seams.timers.now() - logged_in_at_ > 1min) state_.failures = 0;
}

}  // namespace retriever
