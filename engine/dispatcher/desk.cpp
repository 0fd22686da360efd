#include "engine/dispatcher/desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/dispatcher/doubts.hpp"
#include "engine/runtime/log.hpp"
#include "queue/retry.hpp"

namespace dispatcher {

using namespace std::chrono_literals;

namespace {

constexpr auto first_park = std::chrono::milliseconds(1s);
constexpr auto longest_park = std::chrono::milliseconds(5min);
constexpr auto first_park_for_a_person = std::chrono::milliseconds(1min);
constexpr auto longest_park_for_a_person = std::chrono::milliseconds(15min);
constexpr auto another_connection_after = 10min;
constexpr auto after_store_error = 1min;

std::chrono::milliseconds park_of(const Effect& effect, std::uint32_t failures, double fraction) {
    if (effect.pause > 0ms) {
        return effect.pause + std::chrono::milliseconds(
                                  static_cast<std::int64_t>(static_cast<double>(effect.pause.count()) * fraction / 4));
    }
    const bool person = effect.cause == Cause::account || effect.cause == Cause::mailbox;
    queue::BackOff back_off{.first = person ? first_park_for_a_person : first_park,
                            .most = person ? longest_park_for_a_person : longest_park,
                            .survival = 0ms,
                            .failures = failures};
    return back_off.failed(0ms, fraction);
}

std::string_view words_of(Cause cause) {
    switch (cause) {
        case Cause::account:
            return "account";
        case Cause::mailbox:
            return "mailbox";
        case Cause::exhausted:
            return "quota";
        case Cause::throttled:
            return "throttled";
        default:
            return "connection";
    }
}

bool is_sendable(const Sender& sender) { return sender.paused.empty() && sender.fault.empty(); }

}  // namespace

void Desk::Park::begin(const Effect& effect, Monotonic now, double fraction) {
    const auto pause = park_of(effect, failures, fraction);
    if (until <= now) ++failures;  // lines that are lost together are one failure
    until = std::max(until, now + pause);
    why = effect;
}

void Desk::Park::end(Monotonic now) {
    if (until > now) return;  // another line has met with something since
    failures = 0;
    why = {};
}

void Desk::report(const std::string& name, const std::string& what) {
    spdlog::error("{} id=crashed reason={}", name, runtime::value(what));
}

/// In the past, too: that tells who waits longer.
Monotonic Desk::moment_of(store::Millis due) const { return house_.seams.timers.now() + (due - house_.wall()); }

Desk::Box* Desk::box_of(store::MailboxNumber mailbox) {
    const auto found = boxes_.find(mailbox);
    return found == boxes_.end() ? nullptr : &found->second;
}

void Desk::put(Sender sender) {
    const auto number = sender.number;
    ++house_.changes;
    connections_ = std::max(connections_, sender.connections);
    Box* box = box_of(number);
    if (box == nullptr) {
        const Pace pace(sender.pace.mails_per_minute);
        boxes_.emplace(number, Box{.sender = std::move(sender), .pace = pace});
        return;
    }
    const bool fewer = sender.connections < box->sender.connections;
    box->pace.change(sender.pace.mails_per_minute);
    box->sender = std::move(sender);
    if (fewer) {
        connections_ = 1;
        for (const auto& [each, one] : boxes_) connections_ = std::max(connections_, one.sender.connections);
    }
    auto lines = std::exchange(rested_, {});
    for (auto& line : lines) {
        if (line->serves(box->sender)) {
            rested_.push_back(std::move(line));
        } else {
            dismiss(std::move(line));
        }
    }
    try_again(number);
}

void Desk::remove(store::MailboxNumber mailbox) {
    boxes_.erase(mailbox);
    sending_.remove(mailbox);
    doubts_.remove(mailbox);
    ++house_.changes;
}

void Desk::queued(store::MailboxNumber mailbox, store::Millis due) {
    Box* box = box_of(mailbox);
    if (box == nullptr) return;
    box->backlog = box->due.has_value();
    box->due = box->due ? std::min(*box->due, due) : due;
    if (!box->reserved) box->not_before = {};  // it may be smaller than what waits for room, or overtake it
    schedule(*box);
    arrange();
}

void Desk::doubtful(store::MailboxNumber mailbox, store::Millis due) {
    Box* box = box_of(mailbox);
    if (box == nullptr) return;
    box->doubtful = box->doubtful ? std::min(*box->doubtful, due) : due;
    schedule(*box);
    arrange();
}

void Desk::spent(store::MailboxNumber mailbox, std::uint64_t recipients_today) {
    if (Box* box = box_of(mailbox)) box->recipients_today = recipients_today;
}

void Desk::try_again(store::MailboxNumber mailbox) {
    park_.until = {};
    if (Box* box = box_of(mailbox)) {
        box->park.until = {};
        if (!box->reserved) box->not_before = {};
        schedule(*box);
    }
    arrange();
}

void Desk::drain() {
    draining_ = true;
    timer_.disarm();
    while (!rested_.empty()) {
        dismiss(std::move(rested_.front()));
        rested_.pop_front();
    }
}

awaitable<void> Desk::join() { co_await scope_.join(); }

std::uint32_t Desk::connections_max() const { return connections_ > fewer_by_ ? connections_ - fewer_by_ : 1; }

bool Desk::may_send() const { return !draining_ && park_.until <= house_.seams.timers.now(); }

/// When the mailbox may hand over its next mail; only for one that has something to send.
Monotonic Desk::ready_at(const Box& box) const {
    return std::max({moment_of(*box.due), box.pace.next(Monotonic()), box.not_before, box.park.until, box.last_served});
}

/// After whatever changes when a mailbox has its turn.
void Desk::schedule(Box& box) {
    const auto number = box.sender.number;
    const bool sendable = is_sendable(box.sender);
    if (sendable && box.due) {
        sending_.put(number, ready_at(box));
    } else {
        sending_.remove(number);
    }
    if (sendable && box.doubtful) {
        doubts_.put(number, moment_of(*box.doubtful));
    } else {
        doubts_.remove(number);
    }
}

/// The mailbox whose turn it is; nullptr: nobody has something to send now.
Desk::Box* Desk::next_box() {
    const auto number = sending_.due(house_.seams.timers.now());
    return number ? box_of(*number) : nullptr;
}

/// Sees to it that as many work as there is work for, and that the desk wakes up when more is due.
void Desk::arrange() {
    if (draining_) return;
    ++house_.changes;
    const auto now = house_.seams.timers.now();
    if (fewer_by_ > 0 && now - fewer_since_ >= another_connection_after) {
        --fewer_by_;
        fewer_since_ = now;
    }
    dismiss_rested();
    std::optional<Monotonic> next;
    const auto soonest = [&next](std::optional<Monotonic> when) {
        if (when) next = next ? std::min(*next, *when) : *when;
    };
    if (!rested_.empty()) soonest(rested_.front()->resting_since + house_.rest);
    std::size_t wanted = 0;
    if (park_.until > now) {
        if (sending_.next()) soonest(park_.until);
    } else {
        for (const auto number : sending_.all_due(now, connections_max())) {
            const Box& box = boxes_.at(number);
            wanted += box.backlog ? box.sender.connections : 1;
        }
        soonest(sending_.next_after(now));
    }
    const bool doubts = doubts_.due(now).has_value();
    soonest(doubts_.next_after(now));
    if (next) timer_.arm(*next);
    wanted = std::min<std::size_t>(wanted, connections_max());
    // Counted before: a worker that another one has left nothing for ends within spawn().
    for (std::size_t more = wanted > workers_ ? wanted - workers_ : 0; more > 0; --more) {
        ++workers_;
        scope_.spawn("dispatcher", work());
    }
    if (doubts && !looking_) {
        looking_ = true;
        scope_.spawn("sent-items", look());
    }
}

/// A fault of the account or of the way: nothing is handed over for a while.
void Desk::suffer(store::MailboxNumber mailbox, const Effect& effect) {
    if (effect.cause == Cause::accepted || effect.cause == Cause::crowded || effect.cause == Cause::deferred ||
        effect.cause == Cause::refused)
        return;
    const auto now = house_.seams.timers.now();
    if (effect.fewer_connections) {
        if (connections_max() > 1) ++fewer_by_;
        fewer_since_ = now;
        while (!rested_.empty() && workers_ + rested_.size() > connections_max()) {
            dismiss(std::move(rested_.front()));
            rested_.pop_front();
        }
    }
    Box* box = box_of(mailbox);
    const bool own = effect.cause == Cause::mailbox && box != nullptr;
    Park& park = own ? box->park : park_;
    park.begin(effect, now, house_.seams.random.fraction());
    if (own) schedule(*box);
    ++house_.changes;
    spdlog::warn("desk={} mailbox={} id=parked cause={} pause_ms={} reason={}", box == nullptr ? "" : box->sender.login,
                 box == nullptr ? "" : box->sender.id, words_of(effect.cause),
                 std::chrono::duration_cast<std::chrono::milliseconds>(park.until - now).count(),
                 runtime::value(effect.reason));
}

/// The account works, and the mailbox may use it.
void Desk::recover(store::MailboxNumber mailbox) {
    const auto now = house_.seams.timers.now();
    park_.end(now);
    if (Box* box = box_of(mailbox)) box->park.end(now);
}

/// A line that rested and is still good, or a new one; nullptr: the account is parked now.
awaitable<std::unique_ptr<Line>> Desk::line_for(Sender sender) {
    while (!rested_.empty()) {
        auto line = std::move(rested_.back());
        rested_.pop_back();
        if (!line->serves(sender)) {
            dismiss(std::move(line));
            continue;
        }
        auto good = co_await line->client().check_idle();
        if (good) co_return line;
        spdlog::debug("mailbox={} line={} rested={}", sender.id, line->server(),
                      runtime::value(good.error().message()));
    }
    const Line::Uses uses{house_.seams, house_.tokens, house_.sizes};
    const auto number = sender.number;
    auto opened = co_await Line::open(uses, std::move(sender));
    if (opened.line == nullptr) suffer(number, opened.why);
    co_return std::move(opened.line);
}

/// Keeps a worker's line for the next one, unless the provider finds them too many.
void Desk::rest(std::unique_ptr<Line> line) {
    if (workers_ + rested_.size() > connections_max()) return dismiss(std::move(line));
    line->resting_since = house_.seams.timers.now();
    rested_.push_back(std::move(line));
}

void Desk::dismiss_rested() {
    const auto now = house_.seams.timers.now();
    while (!rested_.empty() && now - rested_.front()->resting_since >= house_.rest) {
        dismiss(std::move(rested_.front()));
        rested_.pop_front();
    }
}

void Desk::dismiss(std::unique_ptr<Line> line) {
    scope_.spawn("line", say_good_bye(std::shared_ptr<Line>(std::move(line))));
}

awaitable<void> Desk::say_good_bye(std::shared_ptr<Line> line) {
    auto said = co_await line->client().quit();
    static_cast<void>(said);
}

/// Looks for what may have arrived, one mailbox after the other.
awaitable<void> Desk::look() {
    const std::shared_ptr<bool> ended(&looking_, [](bool* looking) { *looking = false; });
    while (!draining_) {
        const auto number = doubts_.due(house_.seams.timers.now());
        if (!number) break;
        Box& box = *box_of(*number);
        const Sender sender = box.sender;
        box.doubtful.reset();
        schedule(box);
        auto due = co_await resolve_doubts(house_, sender);
        if (!due) {
            spdlog::error("mailbox={} id=store_error reason={}", sender.id, runtime::value(due.error().message()));
            doubtful(sender.number, house_.wall() + after_store_error);
            break;
        }
        if (box_of(sender.number) == nullptr && house_.moved) house_.moved(sender.number);
        if (due->queued) queued(sender.number, *due->queued);
        if (due->doubtful) doubtful(sender.number, *due->doubtful);
    }
    timer_.arm(house_.seams.timers.now());  // the next look begins when this one has ended
}

std::vector<SenderState> Desk::states() const {
    std::vector<SenderState> states;
    const auto now = house_.seams.timers.now();
    const auto when = [&](Monotonic moment) {
        return house_.seams.timers.clock().wall() + std::chrono::duration_cast<WallTime::duration>(moment - now);
    };
    for (const auto& [number, box] : boxes_) {
        SenderState state{.number = number,
                          .id = box.sender.id,
                          .phase = "idle",
                          .reason = "",
                          .until = std::nullopt,
                          .connections = workers_ + rested_.size(),
                          .recipients_today = box.recipients_today};
        const Park& park = park_.until > now ? park_ : box.park;
        if (!box.sender.fault.empty()) {
            state.phase = "cannot send";
            state.reason = box.sender.fault;
        } else if (!box.sender.paused.empty()) {
            state.phase = "suspended";
            state.reason = box.sender.paused;
        } else if (park.until > now) {
            state.phase = "parked";
            state.reason = park.why.reason;
            state.until = when(park.until);
        } else if (box.due && ready_at(box) > now && moment_of(*box.due) <= now) {
            state.phase = "pacing";
            state.until = when(ready_at(box));
        } else if (workers_ > 0) {
            state.phase = "sending";
        }
        states.push_back(std::move(state));
    }
    return states;
}

}  // namespace dispatcher
