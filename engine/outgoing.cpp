#include "engine/outgoing.hpp"

#include <algorithm>
#include <functional>

#include "engine/runtime/log.hpp"
#include "engine/runtime/run_on.hpp"
#include "engine/start_error.hpp"

void Outgoing::add(std::unique_ptr<dispatcher::Dispatcher> dispatcher) {
    dispatcher::Dispatcher::Neighbours neighbours;
    neighbours.bounced = [this](store::MailboxNumber mailbox) {
        Outlet* outlet = nullptr;
        {
            const std::lock_guard lock(mutex_);
            const auto found = outlet_of_.find(mailbox);
            if (found != outlet_of_.end()) outlet = found->second;
        }
        if (outlet != nullptr) outlet->arrived(mailbox);
    };
    neighbours.has_consumer = [this](store::MailboxNumber mailbox) {
        const std::lock_guard lock(mutex_);
        return outlet_of_.contains(mailbox);
    };
    neighbours.moved = [this](store::MailboxNumber mailbox) {
        if (auto* there = of(mailbox)) there->look_again(mailbox);
    };
    dispatcher->meet(std::move(neighbours));
    dispatchers_.push_back(std::move(dispatcher));
    told_.emplace_back();
}

namespace {

constexpr int exit_ioerr = 74;  // sysexits.h
constexpr auto between_counts = std::chrono::seconds(2);

}  // namespace

awaitable<void> Outgoing::serve(std::vector<dispatcher::Sender> senders, const Roster& roster) {
    if (!begun_) {
        begun_ = true;
        const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(uses_.main.timers().clock().wall());
        auto doubted =
            co_await dispatcher::doubt_what_was_taken(uses_.committer, uses_.main.inbox(), now, uses_.settling_time);
        if (!doubted) throw StartError(exit_ioerr, "the store: " + doubted.error().message());
        if (*doubted > 0) {
            spdlog::warn("id=in_doubt submissions={} were being sent when the last process ended; they are looked for",
                         *doubted);
        }
    }
    std::vector<std::vector<dispatcher::Sender>> dealt(dispatchers_.size());
    {
        const std::lock_guard lock(mutex_);
        shard_of_.clear();
        outlet_of_.clear();
        for (const auto& served : roster.mailboxes)
            outlet_of_[served.number] = &uses_.hand_offs.outlet(served.mailbox->consumer);
        tenants_.clear();
        stirred_.store(true, std::memory_order_relaxed);
        for (auto& sender : senders) {
            const auto& tenant = sender.tenant;
            if (!tenant.id.empty())
                tenants_[tenant.id] = {.tenant = tenant.id,
                                       .recipients_today = 0,
                                       .recipients_per_day = tenant.limits.recipients_per_day,
                                       .mails_per_minute = tenant.limits.mails_per_minute};
            // Those that hand over as one identity share its connections and its pace: one shard.
            const auto shard = std::hash<std::string>()(sender.credential + '\0' + sender.login) % dealt.size();
            shard_of_[sender.number] = shard;
            dealt[shard].push_back(std::move(sender));
        }
    }
    for (std::size_t i = 0; i < dealt.size(); ++i) {
        auto serve = serve_on(*dispatchers_[i], std::move(dealt[i]));
        co_await runtime::run_on(uses_.shards[i]->executor(), std::move(serve));
    }
}

awaitable<void> Outgoing::serve_on(dispatcher::Dispatcher& dispatcher, std::vector<dispatcher::Sender> senders) {
    dispatcher.serve(std::move(senders));
    co_return;
}

awaitable<void> Outgoing::drain_one(std::size_t shard) {
    dispatchers_[shard]->drain();
    co_await dispatchers_[shard]->join();
}

void Outgoing::cancel_one(std::size_t shard) { dispatchers_[shard]->cancel(); }

awaitable<void> Outgoing::look() {
    {
        const std::lock_guard lock(mutex_);
        if (shard_of_.empty()) co_return;
    }
    bool anything_new = false;
    const auto now = uses_.main.timers().clock().wall();
    for (std::size_t i = 0; i < dispatchers_.size(); ++i) {
        Told& told = told_[i];
        const auto changes = dispatchers_[i]->changes();
        if (told.changes == changes && (!told.until || now < *told.until)) continue;
        auto asked = dispatchers_[i]->states();
        auto here = co_await runtime::run_on(uses_.shards[i]->executor(), std::move(asked));
        anything_new = true;
        told = {.changes = changes, .until = std::nullopt, .states = {}};
        for (auto& one : here) {
            if (one.until) told.until = std::min(told.until.value_or(*one.until), *one.until);
            told.states.push_back({.mailbox = std::move(one.id),
                                   .phase = std::move(one.phase),
                                   .reason = std::move(one.reason),
                                   .until = one.until,
                                   .connections = one.connections,
                                   .recipients_today = one.recipients_today});
        }
    }
    if (anything_new) {
        std::vector<State> states;
        for (const auto& here : told_) states.insert(states.end(), here.states.begin(), here.states.end());
        std::sort(states.begin(), states.end(), [](const State& a, const State& b) { return a.mailbox < b.mailbox; });
        const std::lock_guard lock(mutex_);
        states_ = std::move(states);
    }
    co_await count();
}

namespace {

struct CountWork {
    std::vector<std::string> tenants;
    store::Millis now{};
    struct Counted {
        store::Outbox::Counts counts;
        std::vector<std::pair<std::string, std::uint64_t>> recipients_today;  // by tenant
    };
    Result<Counted> operator()(store::Workbench bench) const {
        Counted counted;
        const auto counts = bench.store.outbox().counts();
        if (!counts) return counts.error();
        counted.counts = *counts;
        for (const auto& tenant : tenants) {
            const auto today = dispatcher::Purse::today(bench.store, tenant, now);
            if (!today) return today.error();
            counted.recipients_today.emplace_back(tenant, *today);
        }
        return counted;
    }
};

}  // namespace

/// How much waits. When nothing does and nothing came, the committer is left in peace.
awaitable<void> Outgoing::count() {
    const auto now = uses_.main.timers().now();
    const bool waits = stirred_.load(std::memory_order_relaxed) || !(counts_ == store::Outbox::Counts());
    if (!waits || now < counted_at_ + between_counts) co_return;
    counted_at_ = now;
    stirred_.store(false, std::memory_order_relaxed);
    CountWork work;
    work.now = std::chrono::time_point_cast<std::chrono::milliseconds>(uses_.main.timers().clock().wall());
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, tenant] : tenants_) work.tenants.push_back(id);
    }
    auto counted = co_await uses_.committer.run(uses_.main.inbox(), std::move(work));
    if (!counted) co_return;
    const std::lock_guard lock(mutex_);
    counts_ = counted->counts;
    for (const auto& [id, recipients] : counted->recipients_today) {
        const auto tenant = tenants_.find(id);
        if (tenant != tenants_.end()) tenant->second.recipients_today = recipients;
    }
}

namespace {

using namespace std::chrono_literals;

constexpr auto kept_for = 7 * 24h;
constexpr auto between_rounds = 10min;
constexpr std::size_t rows_at_once = 1000;  // a page holds the committer up for a few milliseconds

struct ForgetPage {
    store::SubmissionId after = 0;
    store::Millis before{};
    Result<store::SubmissionId> operator()(store::Workbench bench) const {
        auto& outbox = bench.store.outbox();
        const auto events = outbox.events(0, rows_at_once);
        if (!events) return {boost::system::in_place_error, events.error()};
        std::int64_t up_to = 0;
        for (const auto& event : *events) {
            if (event.at >= before) break;
            up_to = event.number;
        }
        if (up_to > 0) {
            const auto forgotten = outbox.forget_events(up_to);
            if (!forgotten) return {boost::system::in_place_error, forgotten.error()};
        }
        return outbox.forget(after, before, rows_at_once);
    }
};

}  // namespace

awaitable<void> Outgoing::tidy_up() {
    for (;;) {
        co_await uses_.main.timers().sleep_for(between_rounds);
        store::SubmissionId after = 0;
        do {
            const auto now = uses_.main.timers().clock().wall();
            ForgetPage page{after, std::chrono::time_point_cast<std::chrono::milliseconds>(now - kept_for)};
            auto next = co_await uses_.committer.run(uses_.main.inbox(), std::move(page));
            after = next ? *next : 0;
        } while (after != 0);
    }
}

std::vector<runtime::Metric> Outgoing::metrics() const {
    const std::lock_guard lock(mutex_);
    if (shard_of_.empty()) return {};
    std::vector<runtime::Metric> metrics;
    for (const auto& [state, count] : {std::pair{"queued", counts_.queued}, std::pair{"sending", counts_.sending},
                                       std::pair{"in_doubt", counts_.in_doubt}, std::pair{"held", counts_.held}}) {
        metrics.push_back({"rohrpost_submissions",
                           "Submissions that wait, by their state.",
                           static_cast<double>(count),
                           {{"state", state}}});
    }
    std::map<std::string, double> phases;
    for (const auto& state : states_) ++phases[state.phase];
    for (const auto& [phase, count] : phases)
        metrics.push_back(
            {"rohrpost_senders", "Mailboxes that send, by what they are doing.", count, {{"state", phase}}});
    for (const auto& [id, tenant] : tenants_) {
        metrics.push_back({"rohrpost_tenant_recipients_today",
                           "Recipients that a tenant's mailboxes have written to within 24 hours.",
                           static_cast<double>(tenant.recipients_today),
                           {{"tenant", id}}});
    }
    return metrics;
}

awaitable<bool> Outgoing::idle() {
    auto work = [](store::Workbench bench) -> Result<std::size_t> {
        const auto counts = bench.store.outbox().counts();
        if (!counts) return {boost::system::in_place_error, counts.error()};
        const auto due = bench.store.outbox().due(0, 1);
        if (!due) return {boost::system::in_place_error, due.error()};
        const auto taken = bench.store.outbox().taken(1);  // by a look, too
        if (!taken) return {boost::system::in_place_error, taken.error()};
        return static_cast<std::size_t>(counts->queued + counts->sending) + due->size() + taken->size();
    };
    auto waiting = co_await uses_.committer.run(uses_.main.inbox(), work);
    co_return waiting&&* waiting == 0;
}

bool Outgoing::stuck() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(states_.begin(), states_.end(), [](const State& state) {
        return state.phase == "parked" || state.phase == "suspended" || state.phase == "cannot send";
    });
}

dispatcher::Dispatcher* Outgoing::of(store::MailboxNumber mailbox) const {
    const std::lock_guard lock(mutex_);
    const auto found = shard_of_.find(mailbox);
    return found == shard_of_.end() ? nullptr : dispatchers_[found->second].get();
}

void Outgoing::queued(store::MailboxNumber mailbox, store::Millis due) {
    stirred_.store(true, std::memory_order_relaxed);
    if (auto* dispatcher = of(mailbox)) dispatcher->queued(mailbox, due);
}

void Outgoing::changed(store::MailboxNumber mailbox) {
    stirred_.store(true, std::memory_order_relaxed);
    if (auto* dispatcher = of(mailbox)) dispatcher->changed(mailbox);
}

std::vector<control::Sending::State> Outgoing::senders() const {
    const std::lock_guard lock(mutex_);
    return states_;
}

std::vector<control::Sending::TenantState> Outgoing::tenants() const {
    const std::lock_guard lock(mutex_);
    std::vector<TenantState> all;
    for (const auto& [id, tenant] : tenants_) all.push_back(tenant);
    return all;
}
