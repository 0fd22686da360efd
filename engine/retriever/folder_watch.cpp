#include "engine/retriever/folder_watch.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/runtime/log.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr auto shortest_pause = std::chrono::milliseconds(10s);  // between two log-ins of one user
constexpr auto longest_wait = std::chrono::milliseconds(5min);   // in line; it is called when there is room

}  // namespace

FolderWatch::FolderWatch(House house, const Served& served, std::string folder, std::function<void(News)> heard)
    : house_(house),
      mailbox_(served.mailbox),
      password_(served.password),
      place_(served.place),
      folder_(std::move(folder)),
      heard_(std::move(heard)),
      seat_(house.sessions, house.inbox, served.shares, SessionBudget::Kind::extra, [this] { called(); }) {}

awaitable<void> FolderWatch::run(std::shared_ptr<FolderWatch> watch) {
    auto& self = *watch;
    struct Over {  // also when it is cancelled
        FolderWatch& watch;
        ~Over() {
            watch.over_ = true;
            watch.live_ = false;
            watch.joiner_.wake();
        }
    };
    const Over over{self};
    std::uint32_t failures = 0;
    while (!self.stopped_) {
        self.leaving_ = false;
        if (!self.seat_.take()) {
            co_await self.nap(longest_wait);
            continue;
        }
        auto ended = co_await self.serve();
        self.live_ = false;
        self.seat_.leave();
        if (self.stopped_) break;
        const auto next = next_after(ended, failures, self.house_.seams.random.fraction());
        failures = next.failures;
        if (ended.how == Ended::How::throttled) self.seat_.hold(self.house_.seams.timers.now() + next.after);
        spdlog::debug("mailbox={} folder={} id=watch-ended next_ms={} reason={}", self.mailbox_->id,
                      runtime::value(self.folder_), next.after.count(), runtime::value(ended.reason));
        co_await self.nap(std::max(next.after, shortest_pause));
    }
}

void FolderWatch::stop() noexcept {
    stopped_ = true;
    heard_ = nullptr;
    called();
}

awaitable<void> FolderWatch::join() {
    while (!over_) co_await joiner_.wait();
}

/// The turn has come, others wait for the place, or it is over.
void FolderWatch::called() noexcept {
    leaving_ = stopped_ || seat_.wanted();
    if (leaving_ && client_ != nullptr) client_->wake_idle();
    if (client_ == nullptr) wake_.wake();
}

awaitable<Ended> FolderWatch::serve() {
    Ended told;
    told.how = Ended::How::told;
    auto place = co_await house_.gate.enter();
    if (stopped_) co_return told;
    Begun begun;
    auto hindered = co_await reach(house_.seams, house_.tokens, *mailbox_, *place_, *place_->provider.imap, begun);
    if (hindered) co_return std::move(*hindered);
    if (stopped_) co_return told;
    const Counted live(house_.counters.sessions_live);
    imap::Client client(*begun.stream, house_.options.limits, house_.options.paces);
    const Shown shown(client_, client);
    auto ended = co_await converse(client, begun, std::move(place));
    begun.stream->close();
    co_return ended;
}

/// Refused log-ins are told to nobody: the session that fetches meets the same refusal, and says so.
awaitable<Ended> FolderWatch::converse(imap::Client& client, Begun& begun, LoginGate::Place place) {
    const auto began = house_.seams.timers.now();
    auto hindered = co_await greet(client);
    if (hindered) co_return std::move(*hindered);
    auto answer = co_await log_in(client, *mailbox_, *place_, password_, begun);
    if (!answer) co_return ended_by(answer.error(), client.bye());
    if (!answer->ok()) co_return ended_by(*answer, Ended::How::login_refused, "the log-in of a watch");
    house_.counters.logins.fetch_add(1, std::memory_order_relaxed);
    place.leave();
    hindered = co_await tell_who(client);
    if (hindered) co_return std::move(*hindered);
    auto opened = co_await client.open(folder_, imap::Client::Access::read_only);
    if (!opened) co_return ended_by(opened.error(), client.bye());
    if (!opened->answer.ok()) co_return ended_by(opened->answer, Ended::How::folder, "opening folder " + folder_);
    auto ended = co_await wait_for_news(client);
    ended.survived = std::chrono::duration_cast<std::chrono::milliseconds>(house_.seams.timers.now() - began);
    co_return ended;
}

awaitable<Ended> FolderWatch::wait_for_news(imap::Client& client) {
    live_ = true;
    const Counted idle(house_.counters.sessions_idle);
    if (heard_) heard_(News::changed);  // between the last look and now
    auto exists = client.selected().exists;
    while (!leaving_) {
        seat_.rest(last_news_);
        auto woken = co_await client.idle(house_.options.idle_renew);
        if (!woken) co_return ended_by(woken.error(), client.bye());
        if (leaving_) break;
        const bool arrived = client.selected().exists > exists;
        const bool changed = *woken == imap::Client::Woken::news || client.selected().exists != exists;
        exists = client.selected().exists;
        if (!changed) continue;
        if (arrived) last_news_ = house_.seams.timers.now();
        if (heard_) heard_(arrived ? News::arrived : News::changed);
    }
    auto left = co_await client.log_out();
    if (!left) spdlog::debug("mailbox={} logout={}", mailbox_->id, runtime::value(left.error().message()));
    Ended ended;
    ended.how = stopped_ ? Ended::How::told : Ended::How::gave_way;
    co_return ended;
}

awaitable<void> FolderWatch::nap(std::chrono::milliseconds span) {
    if (stopped_) co_return;
    wake_.forget();
    Timer timer(
        house_.seams.timers, [](void* parking) { static_cast<Parking*>(parking)->wake(); }, &wake_);
    timer.arm(house_.seams.timers.now() + span);
    co_await wake_.wait();
}

}  // namespace retriever
