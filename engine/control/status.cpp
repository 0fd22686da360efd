#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "engine/control/commands.hpp"
#include "engine/control/json.hpp"
#include "queue/store/folder_notes.hpp"

namespace control {
namespace {

boost::json::object to_json(const store::Totals& totals) {
    return {{"mailboxes", totals.mailboxes},
            {"messages", totals.messages},
            {"pending", totals.pending},
            {"set_aside", totals.set_aside},
            {"unacknowledged_bytes", totals.body_bytes},
            {"segments", totals.segments},
            {"segment_bytes", totals.segment_bytes}};
}

struct Counts {
    store::Totals totals;
    std::uint64_t parked_folders = 0;
};

boost::json::object to_json(const store::Committer::Stats& stats) {
    boost::json::object object{{"jobs", stats.jobs},
                               {"commits", stats.groups},
                               {"queue_length", stats.queue_length},
                               {"disk_full", stats.disk_full}};
    if (stats.stopped_by) object["stopped_by"] = stats.stopped_by.message();
    return object;
}

boost::json::object to_json(const Live::ConsumerState& consumer) {
    return {{"id", consumer.id},
            {"kind", consumer.kind},
            {"place", consumer.place},
            {"delivered", consumer.delivered},
            {"waiting_mailboxes", consumer.waiting_mailboxes},
            {"reason", consumer.reason}};
}

boost::json::object to_json(const Live::Summary& summary) {
    boost::json::array expiring;
    for (const auto& one : summary.expiring) expiring.push_back(to_json(one));
    boost::json::array consumers;
    for (const auto& consumer : summary.consumers) consumers.push_back(to_json(consumer));
    return {{"started_at", time_text(summary.started_at)},
            {"sessions", summary.sessions},
            {"idle_sessions", summary.idle_sessions},
            {"mailboxes_served", summary.mailboxes},
            {"mailboxes_not_served", summary.not_served},
            {"messages_per_second", summary.messages_per_second},
            {"bytes_per_second", summary.bytes_per_second},
            {"messages_stored", summary.messages_stored},
            {"messages_delivered", summary.messages_delivered},
            {"arrival_to_durable_p50_seconds", summary.arrival_to_durable_p50_seconds},
            {"arrival_to_durable_p99_seconds", summary.arrival_to_durable_p99_seconds},
            {"durable_to_delivered_p50_seconds", summary.durable_to_delivered_p50_seconds},
            {"durable_to_delivered_p99_seconds", summary.durable_to_delivered_p99_seconds},
            {"audited_mailboxes", summary.audited_mailboxes},
            {"unaccounted_messages", summary.unaccounted_messages},
            {"oldest_audit", summary.oldest_audit ? boost::json::value(time_text(*summary.oldest_audit)) : nullptr},
            {"shadow_mailboxes", summary.shadows},
            {"shadow_missed_messages", summary.shadow_missed},
            {"consumers", std::move(consumers)},
            {"expiring", std::move(expiring)}};
}

}  // namespace

awaitable<Response> status(Surroundings& here) {
    auto work = [](store::Workbench bench) -> Result<Counts> {
        const auto totals = bench.store.totals();
        if (!totals) return totals.error();
        const auto parked = bench.store.folder_notes().parked_folders();
        if (!parked) return parked.error();
        return Counts{*totals, *parked};
    };
    auto counts = co_await here.committer.run(here.home, work);
    if (!counts) co_return failure(counts.error());
    boost::json::object object{{"daemon", here.live == nullptr ? "not running" : "running"},
                               {"store", to_json(counts->totals)}};
    object["parked_folders"] = counts->parked_folders;
    if (here.live != nullptr) {
        object["committer"] = to_json(here.committer.stats());
        object["live"] = to_json(here.live->summary());
    }
    co_return answer(object);
}

}  // namespace control
