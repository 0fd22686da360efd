#include "engine/consumers/hand_off.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "engine/runtime/log.hpp"
#include "protocols/base/ensure.hpp"

namespace consumers {

namespace {

constexpr std::size_t list_rows_max = 1000;
/// No process hands off more of a mailbox than this before it is acknowledged.
constexpr store::Seq repeat_window = 256;
constexpr std::uint32_t fruitless_batches_max = 2;

}  // namespace

class HandOff::ArrivalNote final : public queue::Inbox::Note {
public:
    ArrivalNote(HandOff& to, store::MailboxNumber mailbox) noexcept : to_(to), mailbox_(mailbox) {}
    void deliver() noexcept override {
        if (to_.turns_.arrived(mailbox_)) {
            to_.wake_lane();
        } else {
            to_.open_.fetch_sub(1, std::memory_order_release);
        }
    }

private:
    HandOff& to_;
    store::MailboxNumber mailbox_;
};

class HandOff::LookNote final : public queue::Inbox::Note {
public:
    explicit LookNote(HandOff& to) noexcept : to_(to) {}
    void deliver() noexcept override { to_.scope_.spawn("hand-off look", to_.look_for_waiting()); }

private:
    HandOff& to_;
};

struct HandOff::StepWork {
    std::string consumer;
    std::size_t mails_max;
    std::uint64_t bytes_max;
    Step step;

    Result<std::vector<Page>> operator()(store::Workbench bench) {
        for (const auto& each : step.set_aside) {
            auto kept = bench.store.set_aside(each);
            if (!kept) return kept.error();
        }
        for (const auto& each : step.acknowledge) {
            auto noted = bench.store.acknowledge(consumer, each.mailbox, each.seq);
            if (!noted) return noted.error();
        }
        std::vector<Page> pages;
        for (const auto& each : step.read) {
            if (mails_max == 0 || bytes_max == 0) break;
            auto page = read_page(bench.store, each.mailbox);
            if (!page) return page.error();
            pages.push_back(std::move(*page));
        }
        return pages;
    }

private:
    /// At least one message when one waits, then as many as the batch still has room for.
    Result<Page> read_page(store::Store& store, store::MailboxNumber mailbox) {
        Page page;
        page.mailbox = mailbox;
        auto row = store.hand_offs(consumer, store::Store::Which::all, mailbox - 1, 1);
        if (!row) return row.error();
        if (row->empty() || row->front().mailbox != mailbox) return page;  // not subscribed any more
        page.last_seq = row->front().last_seq;
        auto messages = store.messages(mailbox, row->front().acked, mails_max);
        if (!messages) return messages.error();
        for (auto& message : *messages) {
            if (bytes_max == 0) break;
            bytes_max -= std::min(bytes_max, message.body.length + 1);
            --mails_max;
            page.messages.push_back(message);
        }
        if (page.messages.empty()) return page;
        auto repeats = store.accounting().marked_repeats(mailbox, page.messages.front().seq, page.messages.back().seq);
        if (!repeats) return repeats.error();
        page.repeats = std::move(*repeats);
        return page;
    }
};

struct HandOff::ListWork {
    std::string consumer;
    store::MailboxNumber after;

    Result<std::vector<store::HandOff>> operator()(store::Workbench bench) const {
        return bench.store.hand_offs(consumer, store::Store::Which::waiting, after, list_rows_max);
    }
};

struct HandOff::NamesWork {
    std::string after;

    Result<std::vector<store::Mailbox>> operator()(store::Workbench bench) const {
        return bench.store.mailboxes(after, list_rows_max);
    }
};

HandOff::HandOff(Options options, Uses uses, std::unique_ptr<Consumer> consumer)
    : options_(std::move(options)),
      uses_(std::move(uses)),
      consumer_(std::move(consumer)),
      timer_(uses_.timers, wake_lanes, this),
      scope_(uses_.shard, [id = options_.consumer](const std::string& name, const std::string& what) {
          spdlog::error("consumer={} coroutine={} failed={}", id, runtime::value(name), runtime::value(what));
      }) {
    ensure(options_.batch_mails_max > 0 && options_.batch_mails_max <= static_cast<std::size_t>(repeat_window),
           "a batch has 1 to 256 mails");
    ensure(options_.lanes > 0 && options_.batch_bytes_max > 0, "a hand-off has a lane and room for a mail");
}

void HandOff::start() { scope_.spawn("hand-off begin", begin()); }

void HandOff::arrived(store::MailboxNumber mailbox) {
    open_.fetch_add(1, std::memory_order_relaxed);
    uses_.inbox.put(std::make_unique<ArrivalNote>(*this, mailbox));
}

void HandOff::look_again() {
    open_.fetch_add(1, std::memory_order_relaxed);
    uses_.inbox.put(std::make_unique<LookNote>(*this));
}

awaitable<void> HandOff::drain() {
    draining_ = true;
    wake_lanes(this);
    co_await scope_.join();
}

awaitable<void> HandOff::close() {
    scope_.cancel();
    co_await scope_.join();
}

HandOff::Stats HandOff::stats() const {
    const std::lock_guard lock(stats_mutex_);
    return stats_;
}

/// Nothing is delivered before everything that may be a repeat is known.
awaitable<void> HandOff::begin() {
    co_await load_names();
    co_await look_for_waiting();
    for (std::size_t lane = 0; lane < options_.lanes && !draining_; ++lane) {
        lanes_.push_back(std::make_unique<Lane>());
        scope_.spawn(fmt::format("hand-off lane {}", lane), serve(lane));
    }
}

awaitable<void> HandOff::look_for_waiting() {
    store::MailboxNumber after = 0;
    std::uint32_t failures = 0;
    while (!draining_) {
        ListWork work{.consumer = options_.consumer, .after = after};
        auto listed = co_await uses_.committer.run(uses_.inbox, std::move(work));
        if (!listed) {
            spdlog::warn("consumer={} reason={}", options_.consumer, runtime::value(listed.error().message()));
            const auto pause = hand_off_pause(++failures, uses_.random.fraction());
            co_await uses_.timers.sleep_for(pause);
            continue;
        }
        for (const auto& row : *listed) {
            if (turns_.found(row.mailbox, row.acked + repeat_window)) open_.fetch_add(1, std::memory_order_relaxed);
            after = row.mailbox;
        }
        if (listed->size() < list_rows_max) break;
    }
    open_.fetch_sub(1, std::memory_order_release);
    wake_lane();
    publish();
}

awaitable<void> HandOff::load_names() {
    std::string after;
    for (;;) {
        NamesWork work{.after = after};
        auto listed = co_await uses_.committer.run(uses_.inbox, std::move(work));
        if (!listed) co_return;
        for (auto& mailbox : *listed) {
            after = mailbox.id;
            names_.try_emplace(mailbox.number, std::move(mailbox.id));
        }
        if (listed->size() < list_rows_max) co_return;
    }
}

awaitable<void> HandOff::serve(std::size_t number) {
    Lane& lane = *lanes_[number];
    Step step;
    for (;;) {
        plan(step);
        if (step.acknowledge.empty() && step.read.empty()) {
            if (draining_) co_return;
            lane.idle = true;
            arm_timer();
            co_await lane.parking.wait();
            lane.idle = false;
            continue;
        }
        if (turns_.ready() > 0) wake_lane();
        StepWork work{.consumer = options_.consumer,
                      .mails_max = options_.batch_mails_max,
                      .bytes_max = options_.batch_bytes_max,
                      .step = step};
        auto pages = co_await uses_.committer.run(uses_.inbox, std::move(work));
        settle(step, pages);
        step = Step{};
        if (pages) step = co_await hand_over(std::move(*pages));
        publish();
    }
}

/// Those whose turn it is, and after them the lane's own that have more.
void HandOff::plan(Step& step) {
    const auto now = uses_.timers.now();
    if (draining_ || now < paused_until_) return;
    while (step.read.size() < options_.batch_mails_max) {
        const auto next = turns_.take(now);
        if (!next) break;
        step.read.push_back({.mailbox = *next, .attempted = 0});
    }
    for (auto& own : step.acknowledge) {
        if (step.read.size() == options_.batch_mails_max) break;
        if (!own.taken || own.rest != Turns::Rest::more) continue;
        own.taken = false;
        step.read.push_back({.mailbox = own.mailbox, .attempted = own.seq});
    }
}

void HandOff::settle(const Step& step, const Result<std::vector<Page>>& pages) {
    if (!pages) {
        const auto reason = fmt::format("cannot reach the store: {}", pages.error().message());
        for (const auto& each : step.acknowledge) {
            if (each.taken) pause(each.mailbox, each.seq, reason);
        }
        for (const auto& each : step.read) pause(each.mailbox, each.attempted, reason);
        return;
    }
    for (const auto& each : step.acknowledge) {
        if (uses_.acknowledgements != nullptr) uses_.acknowledgements->acknowledged(each.mailbox);
        if (each.taken) put_to_rest(each.mailbox, each.rest);
    }
    for (std::size_t unread = step.read.size(); unread > pages->size(); --unread) {
        turns_.put_back(step.read[unread - 1].mailbox, step.read[unread - 1].attempted);
    }
    for (const auto& page : *pages) {
        if (page.messages.empty()) put_to_rest(page.mailbox, Turns::Rest::nothing);
    }
}

awaitable<HandOff::Step> HandOff::hand_over(std::vector<Page> pages) {
    if (!all_named(pages)) {
        co_await load_names();
    }
    std::vector<Mail> batch;
    for (const auto& page : pages) {
        // One that was removed has no name any more; its mail is still handed off.
        const auto& name = names_.try_emplace(page.mailbox, fmt::format("#{}", page.mailbox)).first->second;
        const auto repeats = turns_.repeat_until(page.mailbox);
        for (const auto& message : page.messages) {
            const bool marked = std::binary_search(page.repeats.begin(), page.repeats.end(), message.seq);
            batch.push_back({.record = message,
                             .mailbox = name,
                             .bodies = &uses_.bodies,
                             .possible_repeat = marked || message.seq <= repeats});
        }
    }
    if (batch.empty()) co_return Step{};
    const std::span<const Mail> mails(batch);
    auto delivered = co_await consumer_->deliver(mails);
    ensure(delivered.count <= batch.size() && delivered.reason.empty() == (delivered.count == batch.size()),
           "a consumer gives a reason exactly when it does not take all");
    co_return take_stock(pages, delivered);
}

bool HandOff::all_named(const std::vector<Page>& pages) const {
    return std::all_of(pages.begin(), pages.end(), [this](const Page& page) { return names_.contains(page.mailbox); });
}

HandOff::Step HandOff::take_stock(const std::vector<Page>& pages, const Delivered& delivered) {
    Step next;
    std::size_t left = delivered.count;
    std::vector<const Page*> not_reached;
    bool failure_owned = false;
    bool damaged = delivered.fault == Delivered::Fault::message;
    const bool fruitful = delivered.count > 0 || damaged;
    for (const auto& page : pages) {
        if (page.messages.empty()) continue;
        const auto count = std::min(left, page.messages.size());
        const auto last = page.messages.back().seq;
        left -= count;
        if (damaged && count < page.messages.size()) {
            damaged = false;
            const auto& message = page.messages[count];
            const auto rest = message.seq < page.last_seq ? Turns::Rest::more : Turns::Rest::nothing;
            next.set_aside.push_back(set_aside(message, delivered.reason));
            next.acknowledge.push_back({.mailbox = page.mailbox, .seq = message.seq, .rest = rest});
            count_delivered(page, count);
            failure_owned = true;
            continue;
        }
        const bool whole = count == page.messages.size();
        if (count > 0) {
            const auto rest = last < page.last_seq ? Turns::Rest::more : Turns::Rest::nothing;
            next.acknowledge.push_back(
                {.mailbox = page.mailbox, .seq = page.messages[count - 1].seq, .rest = rest, .taken = whole});
            count_delivered(page, count);
        }
        if (whole) continue;
        if (failure_owned) {
            not_reached.push_back(&page);
        } else {
            failure_owned = true;
            spdlog::warn("consumer={} mailbox={} waiting_from_seq={} reason={}", options_.consumer,
                         runtime::value(names_[page.mailbox]), page.messages[count].seq,
                         runtime::value(delivered.reason));
            pause(page.mailbox, last, delivered.reason);
        }
    }
    for (auto page = not_reached.rbegin(); page != not_reached.rend(); ++page) {
        turns_.put_back((*page)->mailbox, (*page)->messages.back().seq);
    }
    fruitless_batches_ = fruitful ? 0 : fruitless_batches_ + 1;
    if (fruitless_batches_ > fruitless_batches_max) {
        paused_until_ =
            uses_.timers.now() + hand_off_pause(fruitless_batches_ - fruitless_batches_max, uses_.random.fraction());
    }
    const std::lock_guard lock(stats_mutex_);
    ++stats_.batches;
    const bool failed = !delivered.reason.empty() && delivered.fault == Delivered::Fault::consumer;
    if (failed) ++stats_.failed_batches;
    stats_.last_reason = failed ? delivered.reason : std::string();
    return next;
}

store::SetAside HandOff::set_aside(const store::Message& message, const std::string& reason) {
    spdlog::error("id=set-aside consumer={} mailbox={} seq={} uid={} reason={}", options_.consumer,
                  runtime::value(names_[message.mailbox]), message.seq, message.uid, runtime::value(reason));
    uses_.counters.messages_set_aside.fetch_add(1, std::memory_order_relaxed);
    return {.consumer = options_.consumer,
            .mailbox = message.mailbox,
            .seq = message.seq,
            .at = std::chrono::time_point_cast<std::chrono::milliseconds>(uses_.timers.clock().wall()),
            .reason = reason};
}

void HandOff::count_delivered(const Page& page, std::size_t count) {
    const auto now = uses_.timers.clock().wall();
    std::uint64_t bytes = 0;
    for (const auto& message : std::span(page.messages).first(count)) {
        bytes += message.body.length;
        uses_.counters.durable_to_delivered.add(now - message.received_at);
    }
    uses_.counters.messages_delivered.fetch_add(count, std::memory_order_relaxed);
    const std::lock_guard lock(stats_mutex_);
    stats_.delivered_mails += count;
    stats_.delivered_bytes += bytes;
}

void HandOff::put_to_rest(store::MailboxNumber mailbox, Turns::Rest rest) {
    if (turns_.finished(mailbox, rest)) open_.fetch_sub(1, std::memory_order_release);
}

void HandOff::pause(store::MailboxNumber mailbox, store::Seq attempted, const std::string& reason) {
    turns_.failed(mailbox, attempted, reason, uses_.timers.now(), uses_.random.fraction());
}

void HandOff::wake_lane() {
    for (auto& lane : lanes_) {
        if (!lane->idle) continue;
        lane->idle = false;
        lane->parking.wake();
        return;
    }
}

void HandOff::wake_lanes(void* hand_off) {
    for (auto& lane : static_cast<HandOff*>(hand_off)->lanes_) {
        if (lane->idle) lane->parking.wake();
        lane->idle = false;
    }
}

/// For an idle lane: the next time at which there may be something to do.
void HandOff::arm_timer() {
    auto due = turns_.next_due();
    if (turns_.ready() > 0) due = due ? std::min(*due, paused_until_) : paused_until_;
    if (due) timer_.arm(std::max(*due, paused_until_));
}

void HandOff::publish() {
    const std::lock_guard lock(stats_mutex_);
    stats_.waiting_mailboxes = turns_.waiting();
    stats_.paused_mailboxes = turns_.failing();
}

}  // namespace consumers
