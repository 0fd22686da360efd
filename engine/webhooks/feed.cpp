#include "engine/webhooks/feed.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "engine/control/events.hpp"
#include "engine/control/json.hpp"
#include "engine/runtime/log.hpp"
#include "engine/submission/acceptance.hpp"
#include "protocols/base/text.hpp"

using namespace std::chrono_literals;

namespace webhooks {
namespace {

constexpr std::size_t page_events = 200;
constexpr std::int64_t lanes = 8;  // posts at once
constexpr auto within = 20s;       // for one post
constexpr auto between_looks = 1s;
constexpr auto kept_for = 7 * 24h;

bool is_wanted(const std::vector<config::Topic>& topics, std::string_view kind) {
    const auto topic = control::is_alarm_event(kind) ? config::Topic::alarms : config::Topic::submissions;
    return std::find(topics.begin(), topics.end(), topic) != topics.end();
}

}  // namespace

Parcel parcel_of(const store::OutboxEvent& event, const std::string& mailbox, const std::string& source) {
    auto data = control::to_json(event, mailbox);
    Parcel parcel;
    parcel.id = fmt::format("evt_{}_{}", event.at.time_since_epoch().count(), event.number);
    boost::json::object body{{"specversion", "1.0"},  {"id", parcel.id},
                             {"source", source},      {"type", data.at("type")},
                             {"time", data.at("at")}, {"datacontenttype", "application/json"}};
    if (event.submission != 0) body["subject"] = submission::id_text(event.submission);
    body["data"] = std::move(data);
    parcel.body = boost::json::serialize(body);
    return parcel;
}

/// The events after a place, as far as they are wanted.
struct Feed::ReadWork {
    std::int64_t after = 0;
    std::vector<config::Topic> topics;
    std::shared_ptr<control::MailboxNames> names;
    std::string source;

    Result<Page> operator()(store::Workbench bench) const {
        const auto events = bench.store.outbox().events(after, page_events);
        if (!events) return events.error();
        Page page{.events = {}, .last = after, .more = events->size() == page_events};
        for (const auto& event : *events) {
            page.last = event.number;
            if (!is_wanted(topics, event.kind)) continue;
            const auto name =
                event.mailbox == 0 ? Result<std::string>(std::string()) : names->name_of(bench.store, event.mailbox);
            page.events.push_back({.number = event.number,
                                   .lane = event.submission,
                                   .at = event.at,
                                   .parcel = parcel_of(event, name ? *name : std::string(), source)});
        }
        return page;
    }
};

Feed::Feed(const Uses& uses, config::Webhook webhook, Receiver receiver)
    : uses_(uses),
      webhook_(std::move(webhook)),
      receiver_(std::move(receiver)),
      scope_(uses.shard, [](const auto& name, const auto& what) {
          spdlog::error("coroutine={} failed={}", runtime::value(name), runtime::value(what));
      }) {}

void Feed::start() { scope_.spawn("webhook " + webhook_.id, run()); }
void Feed::cancel() { scope_.cancel(); }
awaitable<void> Feed::join() { co_await scope_.join(); }

awaitable<void> Feed::run() {
    auto cursor = co_await begin();
    for (;;) {
        ReadWork work{cursor, webhook_.events, uses_.names, uses_.source};
        auto page = co_await uses_.committer.run(uses_.inbox, std::move(work));
        if (!page || page->last == cursor) {
            co_await uses_.seams.timers.sleep_for(between_looks);
            continue;
        }
        co_await deliver(std::move(page->events));
        cursor = page->last;
        for (;;) {  // a full disk: what was posted is not read again meanwhile
            const auto kept = co_await keep(cursor);
            if (kept) break;
            co_await uses_.seams.timers.sleep_for(between_looks);
        }
    }
}

/// Where it stood. A new webhook hears of what happens from now on.
awaitable<std::int64_t> Feed::begin() {
    for (;;) {
        auto read = [name = control::cursor_row(webhook_.id)](store::Workbench bench) {
            return bench.store.meta(name);
        };
        auto there = co_await uses_.committer.run(uses_.inbox, std::move(read));
        if (there && *there) co_return text::number<std::int64_t>(**there).value_or(0);
        if (there) break;
        co_await uses_.seams.timers.sleep_for(between_looks);
    }
    std::int64_t last = 0;
    for (;;) {
        ReadWork work{last, {}, uses_.names, {}};
        auto page = co_await uses_.committer.run(uses_.inbox, std::move(work));
        if (page) last = page->last;
        if (page && !page->more) break;
        if (!page) co_await uses_.seams.timers.sleep_for(between_looks);
    }
    co_await keep(last);
    co_return last;
}

awaitable<Result<void>> Feed::keep(std::int64_t cursor) {
    auto work = [name = control::cursor_row(webhook_.id), cursor](store::Workbench bench) {
        return bench.store.put_meta(name, std::to_string(cursor));
    };
    auto kept = co_await uses_.committer.run(uses_.inbox, std::move(work));
    co_return kept;
}

/// All of them; those of different submissions side by side.
awaitable<void> Feed::deliver(std::vector<Event> events) {
    std::map<std::int64_t, std::vector<Event>> by_lane;
    for (auto& event : events) by_lane[event.lane % lanes].push_back(std::move(event));
    auto left = std::make_shared<std::size_t>(by_lane.size());
    for (auto& [number, lane] : by_lane) scope_.spawn("webhook lane", deliver_lane(std::move(lane), left));
    while (*left > 0) co_await lanes_done_.wait();
}

awaitable<void> Feed::deliver_lane(std::vector<Event> events, std::shared_ptr<std::size_t> lanes_left) {
    for (auto& event : events) co_await deliver_one(std::move(event));
    if (--*lanes_left == 0) lanes_done_.wake();
}

awaitable<void> Feed::deliver_one(Event event) {
    queue::BackOff pauses;
    for (;;) {
        auto taken = co_await post(uses_.seams, receiver_, event.parcel, within);
        if (taken.taken) {
            ++stats_.posted;
            if (!stats_.reason.empty()) spdlog::info("webhook={} takes events again", runtime::value(webhook_.id));
            stats_.reason.clear();
            co_return;
        }
        ++stats_.refused;
        if (stats_.reason != taken.says)
            spdlog::warn("webhook={} reason={}", runtime::value(webhook_.id), runtime::value(taken.says));
        stats_.reason = std::move(taken.says);
        if (uses_.seams.timers.clock().wall() - event.at > kept_for) {
            ++stats_.dropped;
            spdlog::error("webhook={} id=event-dropped event={} it was not taken for a week",
                          runtime::value(webhook_.id), event.number);
            co_return;
        }
        const auto pause = pauses.failed(0ms, uses_.seams.random.fraction());
        const auto asked = std::chrono::duration_cast<std::chrono::milliseconds>(taken.retry_after.value_or(0s));
        co_await uses_.seams.timers.sleep_for(std::max(pause, std::min<std::chrono::milliseconds>(asked, 1h)));
    }
}

}  // namespace webhooks
