#include "engine/retriever/pop3_session.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/runtime/log.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

pop3::Mechanism mechanism_of(const pop3::Capabilities& offered, bool password) {
    if (!password) {
        const bool only_bearer = offered.offers("OAUTHBEARER") && !offered.offers("XOAUTH2");
        return only_bearer ? pop3::Mechanism::oauthbearer : pop3::Mechanism::xoauth2;
    }
    return offered.offers("PLAIN") ? pop3::Mechanism::plain : pop3::Mechanism::user_pass;
}

Ended broken(error_code error) { return ended_by(error, std::string()); }

}  // namespace

awaitable<Ended> Pop3Session::serve() {
    for (;;) {
        auto hindered = co_await wait_for_turn();
        if (hindered) co_return std::move(*hindered);
        auto ended = co_await visit();
        if (!ended) continue;
        if (ended->pause > 0ms) co_await obey(*ended);
        co_return std::move(*ended);
    }
}

/// Until the next visit is due, or somebody asks for one.
awaitable<std::optional<Ended>> Pop3Session::wait_for_turn() {
    const bool goes_on = schedule_read_;
    if (!schedule_read_) {
        auto look_up = [mailbox = state_.number](store::Workbench bench) -> Result<std::optional<store::Visit>> {
            const auto folder = bench.store.folder(mailbox, Maildrop::folder_name);
            if (!folder) return folder.error();
            return bench.store.listings().visit(folder->number);
        };
        auto planned = co_await house_.committer.run(house_.inbox, std::move(look_up));
        if (!planned) {
            Ended ended;
            ended.how = Ended::How::store;
            ended.reason = fmt::format("the schedule cannot be read: {}", planned.error().message());
            co_return ended;
        }
        planned_ = std::move(*planned);
        schedule_read_ = true;
    }
    const bool asked = take_asked() || (house_.options.visits_at_once && !goes_on);
    const auto span = wait_left(asked ? Wish::at_once : Wish::as_planned);
    if (span > 0ms) {
        enter_schedule(span);
        const bool slept = co_await nap(span);
        if (!slept && take_asked() && !told_to_stop()) {  // as soon as the server allows it
            const auto demanded = wait_left(Wish::at_once);
            if (demanded > 0ms) {
                enter_schedule(demanded);
                co_await nap(demanded);
            }
        }
        state_.next_attempt.reset();
    }
    if (told_to_stop()) co_return stopped();
    co_return std::nullopt;
}

std::chrono::milliseconds Pop3Session::wait_left(Wish wish) const {
    return planned_ ? wait_for_visit(*planned_, now(), limits(), wish) : 0ms;
}

void Pop3Session::enter_schedule(std::chrono::milliseconds span) {
    state_.next_attempt = house_.seams.timers.clock().wall() + span;
    enter(Phase::scheduled);
}

/// One connection, from the token to QUIT; nullopt: all went well, and the next visit is planned.
awaitable<std::optional<Ended>> Pop3Session::visit() {
    co_await take_seat();
    if (told_to_stop()) co_return stopped();
    enter(Phase::starting);
    auto place = co_await house_.gate.enter();
    if (told_to_stop()) co_return stopped();
    Begun begun;
    auto hindered = co_await connect(*place_->provider.pop3, begun);
    if (hindered) co_return hindered;
    const Counted live(house_.counters.sessions_live);
    pop3::Client client(*begun.stream, house_.options.pop3_limits, house_.options.paces);
    auto ended = co_await converse(client, begun, std::move(place));
    if (ended && ended->how == Ended::How::token_expired) token_expired(begun);
    if (ended && spdlog::should_log(spdlog::level::debug)) show_last_lines(*ended, client.last_lines());
    begun.stream->close();
    seat().leave();
    co_return ended;
}

awaitable<std::optional<Ended>> Pop3Session::converse(pop3::Client& client, Begun& begun, LoginGate::Place place) {
    entered_ = now();
    auto refused = co_await introduce(client, begun, place);
    if (refused) co_return refused;
    auto ended = co_await take_all(client);
    if (ended) {
        ended->survived =
            std::chrono::duration_cast<std::chrono::milliseconds>(house_.seams.timers.now() - logged_in_at_);
    }
    co_return ended;
}

/// From the greeting to a mailbox that is open.
awaitable<std::optional<Ended>> Pop3Session::introduce(pop3::Client& client, Begun& begun, LoginGate::Place& place) {
    auto greeting = co_await client.greet();
    if (!greeting) co_return failed(greeting.error(), "the greeting");
    if (!greeting->ok()) co_return ended_by(*greeting, Ended::How::connection, "the connection");
    auto learned = co_await client.learn_capabilities();
    if (!learned) co_return broken(learned.error());
    const auto& host = *place_->provider.pop3;
    if (host.tls == config::Tls::starttls) {
        auto secured = co_await client.start_tls(*place_->tls, host.host);
        if (!secured) co_return failed(secured.error(), "STLS");
        if (!secured->ok()) co_return ended_by(*secured, Ended::How::connection, "STLS");
        learned = co_await client.learn_capabilities();
        if (!learned) co_return broken(learned.error());
    }
    auto refused = co_await log_in(client, begun);
    if (!refused) place.leave();
    co_return refused;
}

awaitable<std::optional<Ended>> Pop3Session::log_in(pop3::Client& client, Begun& begun) {
    pop3::Login login;
    login.mechanism = mechanism_of(client.capabilities(), password_);
    login.user = mailbox_->login;
    login.secret = Secret(std::string(std::exchange(begun.secret, {}).reveal()));
    login.host = place_->provider.pop3->host;
    login.port = place_->provider.pop3->port;
    if (place_->provider.preset == "gmail") login.initial = pop3::Initial::with_command;
    const auto login_delay = client.capabilities().login_delay;
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return failed(answer.error(), fmt::format("the log-in as {}", mailbox_->login));
    if (answer->ok()) {
        logged_in(begun);
        co_return std::nullopt;
    }
    auto ended = ended_by(*answer, Ended::How::login_refused, fmt::format("the log-in as {}", mailbox_->login));
    if (ended.how == Ended::How::throttled && login_delay)
        ended.pause = std::max<std::chrono::milliseconds>(ended.pause, *login_delay);
    co_return login_refused(std::move(ended), begun);
}

/// Everything that is new, durably; then what may go; then QUIT, which makes it so.
awaitable<std::optional<Ended>> Pop3Session::take_all(pop3::Client& client) {
    enter(Phase::fetching);
    const auto began = house_.seams.timers.now();
    Maildrop::Facts facts{mailbox_->id, state_.number, mailbox_->start, after_policy_of(*mailbox_, place_->provider),
                          nothing_due_before_};
    Maildrop drop(std::move(facts), house_.options.sizes, intake_house());
    auto taken = co_await drop.take_new(client, leaving());
    state_.stored += taken.stored;
    const auto due = take_audit_due();
    const bool audits = due == AuditDue::all || (due == AuditDue::cheap_ones && !state_.audit);
    if (!taken.ended && !told_to_stop() && audits) taken.ended = co_await audit(client, drop);
    if (!taken.ended && !told_to_stop()) {
        taken.ended = co_await drop.remove_acknowledged(client, taken);
        nothing_due_before_ = taken.nothing_due_before;
    }
    const auto removing = drop.to_be_removed();
    if (taken.stored + taken.known_before + taken.pending + taken.recognised + removing > 0) {
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(house_.seams.timers.now() - began);
        spdlog::info(
            "mailbox={} listed={} stored={} bytes={} known_before={} recognised={} pending={} removing={} took_ms={}",
            mailbox_->id, taken.listed, taken.stored, taken.bytes, taken.known_before, taken.recognised, taken.pending,
            removing, took.count());
    }
    // Without QUIT nothing is removed, and Gmail lists again what it gave.
    if (taken.ended) co_return taken.ended;
    const auto login_delay = client.capabilities().login_delay;
    auto left = co_await client.quit();
    if (!left && removing > 0) co_return failed(left.error(), "QUIT");  // what is gone by now shows with the next visit
    if (left && left->ok()) {
        auto hindered = co_await drop.removed();
        if (hindered) co_return hindered;
    }
    if (left && !left->ok()) spdlog::warn("mailbox={} quit={}", mailbox_->id, runtime::value(left->text));
    if (told_to_stop()) co_return stopped();
    state_.last_proof = house_.seams.timers.clock().wall();
    state_.caught_up = true;
    state_.failures = 0;
    const bool busy = taken.stored + taken.recognised + removing + taken.to_acknowledge > 0;
    const auto found = busy ? Found::mail : Found::nothing;
    auto hindered = co_await plan_next(found, login_delay);
    co_return hindered;
}

awaitable<std::optional<Ended>> Pop3Session::audit(pop3::Client& client, Maildrop& drop) {
    auto audited = co_await drop.audit(client, leaving());
    state_.stored += audited.stored;
    if (audited.ended) co_return std::move(audited.ended);
    runtime::Audit audit;
    audit.found = audited.found;
    audit.folders.push_back(std::move(audited.result));
    auto ended = co_await finish_audit(std::move(audit));
    co_return ended;
}

awaitable<std::optional<Ended>> Pop3Session::plan_next(Found found, std::optional<std::chrono::seconds> login_delay) {
    planned_ = next_visit(planned_, found, entered_, now(), login_delay, limits(), house_.seams.random.fraction());
    auto kept = co_await keep_schedule();
    if (kept) co_return std::nullopt;
    Ended ended;
    ended.how = Ended::How::store;
    ended.reason = fmt::format("the schedule cannot be kept: {}", kept.error().message());
    co_return ended;
}

/// The provider asked for a pause: a restart does not shorten it.
awaitable<void> Pop3Session::obey(const Ended& ended) {
    const auto until = now() + ended.pause;
    if (!planned_) planned_ = store::Visit{until, until, limits().longest};
    planned_->not_before = std::max(planned_->not_before, until);
    planned_->due = std::max(planned_->due, until);
    auto kept = co_await keep_schedule();
    if (!kept) spdlog::debug("mailbox={} schedule={}", mailbox_->id, runtime::value(kept.error().message()));
}

awaitable<Result<void>> Pop3Session::keep_schedule() {
    auto note = [mailbox = state_.number, visit = *planned_](store::Workbench bench) -> Result<void> {
        const auto folder = bench.store.folder(mailbox, Maildrop::folder_name);
        if (!folder) return folder.error();
        return bench.store.listings().put_visit(folder->number, visit);
    };
    auto kept = co_await house_.committer.run(house_.inbox, std::move(note));
    co_return kept;
}

store::Millis Pop3Session::now() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(house_.seams.timers.clock().wall());
}

}  // namespace retriever
