#include "engine/consumers/hand_off.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <set>
#include <span>

#include "engine/runtime/log.hpp"
#include "protocols/base/ensure.hpp"

namespace consumers {

namespace {

constexpr std::size_t list_rows_max = 1000;
/// No process hands off more of a mailbox than this before it is acknowledged.
constexpr store::Seq repeat_window = 256;
constexpr std::uint32_t fruitless_batches_max = 2;
constexpr std::chrono::milliseconds asked_pause_max = std::chrono::hours(1);

/// The address in a mailbox's document.
std::string address_in(const std::string& document) {
    error_code wrong;
    const auto value = boost::json::parse(document, wrong);
    const auto* object = wrong ? nullptr : value.if_object();
    const auto* address = object == nullptr ? nullptr : object->if_contains("address");
    const auto* text = address == nullptr ? nullptr : address->if_string();
    return text == nullptr ? std::string() : std::string(*text);
}

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
    void deliver() noexcept override { to_.scope_.spawn("hand-off look", to_.look_anew()); }

private:
    HandOff& to_;
};

class HandOff::RewindNote final : public queue::Inbox::Note {
public:
    RewindNote(HandOff& to, store::MailboxNumber mailbox, store::Seq repeat_until) noexcept
        : to_(to), mailbox_(mailbox), repeat_until_(repeat_until) {}
    void deliver() noexcept override {
        if (to_.turns_.found(mailbox_, repeat_until_))
            to_.wake_lane();
        else
            to_.open_.fetch_sub(1, std::memory_order_release);
    }

private:
    HandOff& to_;
    store::MailboxNumber mailbox_;
    store::Seq repeat_until_;
};

class HandOff::RetryNote final : public queue::Inbox::Note {
public:
    RetryNote(HandOff& to, store::MailboxNumber mailbox, store::Seq seq) noexcept
        : to_(to), mailbox_(mailbox), seq_(seq) {}
    void deliver() noexcept override {
        auto& wanted = to_.retries_[mailbox_];
        if (wanted.size() < to_.options_.batch_mails_max &&
            std::find(wanted.begin(), wanted.end(), seq_) == wanted.end())
            wanted.push_back(seq_);
        if (to_.turns_.arrived(mailbox_))
            to_.wake_lane();
        else
            to_.open_.fetch_sub(1, std::memory_order_release);
    }

private:
    HandOff& to_;
    store::MailboxNumber mailbox_;
    store::Seq seq_;
};

struct HandOff::StepWork {
    std::string consumer;
    std::size_t mails_max;
    std::uint64_t bytes_max;
    Step step;

    Result<std::vector<Page>> operator()(store::Workbench bench) {
        for (const auto& each : step.forget) {
            auto forgotten = bench.store.forget_set_aside(each.consumer, each.mailbox, each.seq);
            if (!forgotten && forgotten.error() != store::errc::unknown_id) return forgotten.error();
        }
        for (const auto& each : step.set_aside) {
            auto kept = bench.store.set_aside(each);
            if (!kept) return kept.error();
        }
        for (const auto& each : step.acknowledge) {
            auto noted = acknowledge(bench.store, each);
            if (!noted) return noted.error();
        }
        std::vector<Page> pages;
        for (const auto& each : step.read) {
            if (mails_max == 0 || bytes_max == 0) break;
            auto page = each.retries.empty() ? read_page(bench.store, each.mailbox) : read_retries(bench.store, each);
            if (!page) return page.error();
            pages.push_back(std::move(*page));
        }
        return pages;
    }

private:
    Result<void> acknowledge(store::Store& store, const Acknowledgement& what) const {
        auto row = store.hand_offs(consumer, store::Store::Which::all, what.mailbox - 1, 1);
        if (!row) return row.error();
        const bool there = !row->empty() && row->front().mailbox == what.mailbox;
        if (there && row->front().acked < what.from) return {};
        return store.acknowledge(consumer, what.mailbox, what.seq);
    }

    /// Those of them that are still set aside.
    Result<Page> read_retries(store::Store& store, const Reading& wanted) {
        Page page;
        page.mailbox = wanted.mailbox;
        page.retries = true;
        for (const auto seq : wanted.retries) {
            if (mails_max == 0) break;
            store::SetAside before;
            before.consumer = consumer;
            before.mailbox = wanted.mailbox;
            before.seq = seq - 1;
            auto aside = store.set_aside_after(before, 1);
            if (!aside) return aside.error();
            const bool there = !aside->empty() && aside->front().consumer == consumer &&
                               aside->front().mailbox == wanted.mailbox && aside->front().seq == seq;
            if (!there) continue;
            auto message = store.messages(wanted.mailbox, seq - 1, 1);
            if (!message) return message.error();
            if (message->empty() || message->front().seq != seq) continue;
            page.messages.push_back(message->front());
            page.repeats.push_back(seq);
            --mails_max;
        }
        return page;
    }

    /// At least one message when one waits, then as many as the batch still has room for.
    Result<Page> read_page(store::Store& store, store::MailboxNumber mailbox) {
        Page page;
        page.mailbox = mailbox;
        auto row = store.hand_offs(consumer, store::Store::Which::all, mailbox - 1, 1);
        if (!row) return row.error();
        if (row->empty() || row->front().mailbox != mailbox) return page;  // not subscribed any more
        page.acked = row->front().acked;
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

struct HandOff::FoldersWork {
    std::vector<store::MailboxNumber> mailboxes;

    Result<std::vector<store::Folder>> operator()(store::Workbench bench) const {
        std::vector<store::Folder> all;
        for (const auto mailbox : mailboxes) {
            auto folders = bench.store.folders(mailbox);
            if (!folders) return folders.error();
            std::move(folders->begin(), folders->end(), std::back_inserter(all));
        }
        return all;
    }
};

HandOff::HandOff(Options options, Uses uses, std::unique_ptr<Consumer> consumer)
    : options_(std::move(options)),
      uses_(std::move(uses)),
      consumer_(std::move(consumer)),
      timer_(uses_.timers, wake_lanes, this),
      grace_(
          uses_.timers, [](void* hand_off) { static_cast<HandOff*>(hand_off)->scope_.cancel(); }, this),
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

void HandOff::rewound(store::MailboxNumber mailbox, store::Seq repeat_until) {
    open_.fetch_add(1, std::memory_order_relaxed);
    uses_.inbox.put(std::make_unique<RewindNote>(*this, mailbox, repeat_until));
}

void HandOff::retry(store::MailboxNumber mailbox, store::Seq seq) {
    open_.fetch_add(1, std::memory_order_relaxed);
    uses_.inbox.put(std::make_unique<RetryNote>(*this, mailbox, seq));
}

awaitable<void> HandOff::drain() {
    begin_to_drain();
    co_await scope_.join();
    grace_.disarm();
}

void HandOff::drain_within(std::chrono::milliseconds grace) {
    grace_.arm(uses_.timers.now() + grace);
    begin_to_drain();
}

void HandOff::begin_to_drain() {
    draining_ = true;
    consumer_->wind_up();
    wake_lanes(this);
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
    co_await look_for_waiting(repeat_window);
    for (std::size_t lane = 0; lane < options_.lanes && !draining_; ++lane) {
        lanes_.push_back(std::make_unique<Lane>());
        scope_.spawn(fmt::format("hand-off lane {}", lane), serve(lane));
    }
}

/// This process has delivered nothing without knowing: nothing of it may be a repeat.
awaitable<void> HandOff::look_anew() {
    co_await load_names();
    co_await look_for_waiting(0);
}

awaitable<void> HandOff::look_for_waiting(store::Seq window) {
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
            const auto repeat_until = window == 0 ? 0 : std::min(row.acked + window, row.last_seq);
            if (turns_.found(row.mailbox, repeat_until)) open_.fetch_add(1, std::memory_order_relaxed);
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
            auto address = address_in(mailbox.document);
            auto& known = names_[mailbox.number];
            if (known && known->id == mailbox.id && known->address == address) continue;
            known = std::make_shared<Named>(Named{.id = std::move(mailbox.id), .address = std::move(address)});
        }
        if (listed->size() < list_rows_max) co_return;
    }
}

/// Of mailboxes with a mail in a folder that has no name yet.
awaitable<void> HandOff::load_folders(const std::vector<Page>& pages) {
    std::set<store::MailboxNumber> wanted;
    for (const auto& page : pages) {
        const auto mailbox = named(page.mailbox);
        for (const auto& message : page.messages)
            if (!mailbox->folders.contains(message.folder)) wanted.insert(page.mailbox);
    }
    if (wanted.empty()) co_return;
    FoldersWork work{.mailboxes = {wanted.begin(), wanted.end()}};
    auto folders = co_await uses_.committer.run(uses_.inbox, std::move(work));
    if (!folders) co_return;
    for (const auto number : wanted) {
        auto mailbox = std::make_shared<Named>(*named(number));
        for (const auto& folder : *folders)
            if (folder.mailbox == number) mailbox->folders[folder.number] = folder.name;
        names_[number] = std::move(mailbox);
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
    auto most = options_.batch_mails_max;
    if (options_.lots == Options::Lots::shared) {
        const auto share = (turns_.ready() + options_.lanes - 1) / options_.lanes;
        most = std::clamp<std::size_t>(share, 1, most);
    }
    while (step.read.size() < most) {
        const auto next = turns_.take(now);
        if (!next) break;
        step.read.push_back({.mailbox = *next, .attempted = 0});
        const auto wanted = retries_.find(*next);
        if (wanted == retries_.end()) continue;
        step.read.back().retries = std::move(wanted->second);
        std::sort(step.read.back().retries.begin(), step.read.back().retries.end());
        retries_.erase(wanted);
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
        const auto& left = step.read[unread - 1];
        if (!left.retries.empty()) retries_[left.mailbox] = left.retries;
        turns_.put_back(left.mailbox, left.attempted);
    }
    for (const auto& page : *pages) {
        if (!page.messages.empty()) continue;
        put_to_rest(page.mailbox, page.retries ? Turns::Rest::more : Turns::Rest::nothing);
    }
}

awaitable<HandOff::Step> HandOff::hand_over(std::vector<Page> pages) {
    if (!all_named(pages)) {
        co_await load_names();
    }
    if (options_.folder_names) {
        co_await load_folders(pages);
    }
    std::vector<Mail> batch;
    std::vector<std::shared_ptr<const Named>> kept;  // their names may change meanwhile
    for (const auto& page : pages) {
        kept.push_back(named(page.mailbox));
        const Named& mailbox = *kept.back();
        const auto repeats = turns_.repeat_until(page.mailbox);
        for (const auto& message : page.messages) {
            const bool marked = std::binary_search(page.repeats.begin(), page.repeats.end(), message.seq);
            const auto folder = mailbox.folders.find(message.folder);
            batch.push_back({.record = message,
                             .mailbox = mailbox.id,
                             .address = mailbox.address,
                             .folder = folder == mailbox.folders.end() ? std::string_view() : folder->second,
                             .bodies = &uses_.bodies,
                             .possible_repeat = marked || message.seq <= repeats});
        }
    }
    if (batch.empty()) co_return Step{};
    const std::span<const Mail> mails(batch);
    auto delivered = co_await consumer_->deliver(mails);
    ensure(delivered.count <= batch.size(), "a consumer takes no more than it is given");
    ensure(delivered.count < batch.size() || delivered.reason.empty(), "who takes all has no reason why not");
    ensure(delivered.count > 0 || !delivered.reason.empty() || draining_, "who takes nothing has a reason");
    co_return take_stock(pages, delivered);
}

bool HandOff::all_named(const std::vector<Page>& pages) const {
    return std::all_of(pages.begin(), pages.end(), [this](const Page& page) { return names_.contains(page.mailbox); });
}

/// One that was removed has no name any more; its mail is still handed off.
std::shared_ptr<const HandOff::Named> HandOff::named(store::MailboxNumber mailbox) {
    auto& known = names_[mailbox];
    if (!known) known = std::make_shared<Named>(Named{.id = fmt::format("#{}", mailbox), .address = {}});
    return known;
}

const std::string& HandOff::name_of(store::MailboxNumber mailbox) { return named(mailbox)->id; }

HandOff::Step HandOff::take_stock(const std::vector<Page>& pages, const Delivered& delivered) {
    Step next;
    std::size_t left = delivered.count;
    std::size_t attempted = std::max(delivered.attempted, delivered.count);
    std::vector<std::pair<store::MailboxNumber, store::Seq>> not_reached;
    bool stopped = false;
    if (delivered.count > 0) {
        refusals_ = 0;
        took_something_ = true;
    }
    for (const auto& page : pages) {
        if (page.messages.empty()) continue;
        const auto count = std::min(left, page.messages.size());
        const auto tried = std::min(attempted, page.messages.size());
        left -= count;
        if (attempted != Delivered::all) attempted -= tried;
        const auto attempted_seq = tried > 0 ? page.messages[tried - 1].seq : 0;
        if (count > 0) count_delivered(page, count);
        if (page.retries) {
            stopped = stopped || count < page.messages.size();
            note_retries(page, count, delivered, next);
        } else if (count == page.messages.size()) {
            const auto last = page.messages.back().seq;
            const auto rest = last < page.last_seq ? Turns::Rest::more : Turns::Rest::nothing;
            next.acknowledge.push_back({.mailbox = page.mailbox, .from = page.acked, .seq = last, .rest = rest});
        } else if (stopped) {
            not_reached.emplace_back(page.mailbox, attempted_seq);
        } else {
            stopped = true;
            stop_at(page, count, attempted_seq, delivered, next);
        }
    }
    for (auto page = not_reached.rbegin(); page != not_reached.rend(); ++page)
        turns_.put_back(page->first, page->second);
    note(delivered);
    return next;
}

void HandOff::stop_at(const Page& page, std::size_t count, store::Seq attempted, const Delivered& delivered,
                      Step& next) {
    const auto& message = page.messages[count];
    const auto done = count > 0 ? page.messages[count - 1].seq : 0;
    if (delivered.reason.empty()) {
        if (count > 0)
            next.acknowledge.push_back(
                {.mailbox = page.mailbox, .from = page.acked, .seq = done, .rest = Turns::Rest::more});
        else
            turns_.put_back(page.mailbox, attempted);
        return;
    }
    if (gives_up(page.mailbox, message.seq, delivered)) {
        const auto rest = message.seq < page.last_seq ? Turns::Rest::more : Turns::Rest::nothing;
        next.set_aside.push_back(set_aside(message, delivered.reason));
        next.acknowledge.push_back({.mailbox = page.mailbox, .from = page.acked, .seq = message.seq, .rest = rest});
        return;
    }
    if (count > 0)
        next.acknowledge.push_back(
            {.mailbox = page.mailbox, .from = page.acked, .seq = done, .rest = Turns::Rest::nothing, .taken = false});
    spdlog::warn("consumer={} mailbox={} waiting_from_seq={} reason={}", options_.consumer,
                 runtime::value(name_of(page.mailbox)), message.seq, runtime::value(delivered.reason));
    pause(page.mailbox, attempted, delivered.reason);
}

/// Delivered ones are not set aside any more; the one that failed is so for a new reason. The mailbox goes on.
void HandOff::note_retries(const Page& page, std::size_t count, const Delivered& delivered, Step& next) {
    const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(uses_.timers.clock().wall());
    for (std::size_t at = 0; at < page.messages.size(); ++at) {
        const bool failed = at == count && !delivered.reason.empty();
        if (at > count || (at == count && !failed)) break;
        const auto& message = page.messages[at];
        store::SetAside aside{.consumer = options_.consumer,
                              .mailbox = page.mailbox,
                              .seq = message.seq,
                              .at = now,
                              .reason = delivered.reason};
        next.forget.push_back(aside);
        if (failed) next.set_aside.push_back(std::move(aside));
    }
    // Of those that were not reached another attempt is asked for, but not behind one that failed.
    next.acknowledge.push_back({.mailbox = page.mailbox, .from = page.acked, .seq = 0, .rest = Turns::Rest::more});
}

/// Whether the mail is set aside, so that those behind it go on.
bool HandOff::gives_up(store::MailboxNumber mailbox, store::Seq seq, const Delivered& delivered) {
    switch (delivered.fault) {
        case Delivered::Fault::message:
            return true;
        case Delivered::Fault::refused:
            return ++refusals_ <= options_.refusals_max;
        case Delivered::Fault::mail:
            if (turns_.stumbled(mailbox, seq) < options_.attempts_max || !took_something_) return false;
            took_something_ = false;
            return true;
        case Delivered::Fault::consumer:
        case Delivered::Fault::mailbox:
            break;
    }
    return false;
}

/// What the end of a batch says about the consumer as a whole.
void HandOff::note(const Delivered& delivered) {
    using Fault = Delivered::Fault;
    const bool too_many = delivered.fault == Fault::refused && refusals_ > options_.refusals_max;
    const bool failed = !delivered.reason.empty() && (too_many || delivered.fault == Fault::consumer);
    const bool stopped =
        failed || (!delivered.reason.empty() && (delivered.fault == Fault::mailbox || delivered.fault == Fault::mail));
    if (delivered.count > 0 || !stopped) fruitless_batches_ = 0;
    if (failed && delivered.count == 0) ++fruitless_batches_;
    const auto now = uses_.timers.now();
    if (failed && fruitless_batches_ > fruitless_batches_max) {
        paused_until_ = now + hand_off_pause(fruitless_batches_ - fruitless_batches_max, uses_.random.fraction());
    }
    if (failed && delivered.pause.count() > 0)
        paused_until_ = std::max(paused_until_, now + std::min(delivered.pause, asked_pause_max));
    const std::lock_guard lock(stats_mutex_);
    ++stats_.batches;
    if (stopped) ++stats_.failed_batches;
    stats_.last_reason = stopped ? delivered.reason : std::string();
    if (too_many)
        stats_.last_reason += fmt::format(
            "; {} mails in a row were refused, and nothing more is set aside until it "
            "takes one",
            options_.refusals_max);
}

store::SetAside HandOff::set_aside(const store::Message& message, const std::string& reason) {
    spdlog::error("id=set-aside consumer={} mailbox={} seq={} uid={} reason={}", options_.consumer,
                  runtime::value(name_of(message.mailbox)), message.seq, message.uid, runtime::value(reason));
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
    if (!reasons_.empty()) {
        const std::lock_guard lock(stats_mutex_);
        reasons_.erase(name_of(mailbox));
    }
    if (turns_.finished(mailbox, rest)) open_.fetch_sub(1, std::memory_order_release);
}

void HandOff::pause(store::MailboxNumber mailbox, store::Seq attempted, const std::string& reason) {
    turns_.failed(mailbox, attempted, reason, uses_.timers.now(), uses_.random.fraction());
    const std::lock_guard lock(stats_mutex_);
    reasons_[name_of(mailbox)] = reason;
}

std::string HandOff::reason_of(std::string_view mailbox) const {
    const std::lock_guard lock(stats_mutex_);
    const auto found = reasons_.find(mailbox);
    return found == reasons_.end() ? std::string() : found->second;
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
