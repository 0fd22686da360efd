#include "engine/control/events.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "engine/control/alarming.hpp"
#include "engine/control/commands.hpp"
#include "engine/control/json.hpp"
#include "engine/submission/acceptance.hpp"

namespace control {

bool is_alarm_event(std::string_view kind) noexcept { return kind.starts_with("alarm."); }

std::string cursor_row(std::string_view webhook) { return "feed/" + std::string(webhook); }

boost::json::object to_json(const store::OutboxEvent& event, const std::string& mailbox) {
    error_code unreadable;
    boost::json::object object{{"number", event.number},
                               {"type", is_alarm_event(event.kind) ? event.kind : "submission." + event.kind}};
    if (event.submission != 0) {
        object["submission"] = submission::id_text(event.submission);
        object["mailbox"] = mailbox;
    }
    object["at"] = time_text(event.at);
    object["data"] = boost::json::parse(event.detail, unreadable);
    return object;
}

namespace {

boost::json::object to_json(const Alarming::Alarm& alarm) {
    boost::json::object object{{"rule", alarm.rule}};
    if (!alarm.subject.empty()) object["subject"] = alarm.subject;
    if (!alarm.step.empty()) object["step"] = alarm.step;
    object["what"] = alarm.what;
    if (!alarm.remedy.empty()) object["remedy"] = alarm.remedy;
    return object;
}

}  // namespace

awaitable<Response> list_events(Surroundings& here, std::int64_t after, std::size_t limit) {
    limit = std::clamp<std::size_t>(limit, 1, page_rows_max);
    auto work = [after, limit, names = here.names](store::Workbench bench) -> Result<Response> {
        const auto events = bench.store.outbox().events(after, limit + 1);
        if (!events) return events.error();
        boost::json::array list;
        for (const auto& event : *events) {
            if (list.size() == limit) break;
            const auto name =
                event.mailbox == 0 ? Result<std::string>(std::string()) : names->name_of(bench.store, event.mailbox);
            list.push_back(to_json(event, name ? *name : std::string()));
        }
        boost::json::object page{{"events", std::move(list)}};
        if (events->size() > limit) page["next"] = (*events)[limit - 1].number;
        return answer(page);
    };
    auto page = co_await here.committer.run(here.home, std::move(work));
    if (!page) co_return failure(page.error());
    co_return std::move(*page);
}

awaitable<Response> list_alarms(const Surroundings& here) {
    boost::json::array alarms;
    boost::json::array conditions;
    if (here.alarming != nullptr) {
        for (const auto& alarm : here.alarming->alarms()) {
            auto object = to_json(alarm);
            object["since"] = time_text(alarm.since);
            object["raised_at"] = time_text(alarm.raised_at);
            alarms.push_back(std::move(object));
        }
        const auto now_there = co_await here.alarming->conditions();
        for (const auto& condition : now_there) conditions.push_back(to_json(condition));
    }
    co_return answer(boost::json::object{{"alarms", std::move(alarms)},
                                         {"conditions", std::move(conditions)},
                                         {"watching", here.alarming != nullptr && here.alarming->tells()}});
}

}  // namespace control
