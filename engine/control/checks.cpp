#include "engine/control/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <set>

#include "engine/config/import.hpp"
#include "engine/control/json.hpp"
#include "engine/doctor/doctor.hpp"
#include "engine/retriever/state.hpp"
#include "engine/tokens/sign_ins.hpp"

namespace control {
namespace {

constexpr std::size_t patients_per_job = 200;  // the committer does other things, too

/// The ids that are asked for; none: all. nullopt: the body is something else.
std::optional<std::set<std::string>> ids_in(const std::string& body) {
    if (body.empty()) return std::set<std::string>();
    error_code malformed;
    const auto value = boost::json::parse(body, malformed);
    const auto* object = malformed ? nullptr : value.if_object();
    const auto* list = object == nullptr || object->size() != 1 ? nullptr : object->if_contains("mailboxes");
    if (list == nullptr || !list->is_array()) return std::nullopt;
    std::set<std::string> ids;
    for (const auto& item : list->get_array()) {
        if (!item.is_string()) return std::nullopt;
        ids.emplace(item.get_string());
    }
    return ids;
}

Result<doctor::Plan> plan_of_all(store::Workbench bench) {
    auto document = config::stored(bench.store);
    if (!document) return document.error();
    doctor::Plan plan;
    config::check(config::Document(), *document, plan.faults);
    for (auto& provider : document->providers) plan.providers[provider.id] = std::move(provider);
    for (auto& credential : document->credentials) plan.credentials[credential.id] = std::move(credential);
    for (auto& mailbox : document->mailboxes) {
        doctor::Patient patient;
        patient.mailbox = std::move(mailbox);
        plan.patients.push_back(std::move(patient));
    }
    std::sort(plan.patients.begin(), plan.patients.end(),
              [](const auto& a, const auto& b) { return a.mailbox.id < b.mailbox.id; });
    return plan;
}

/// What the ledger knows of some patients.
struct History {
    std::string paused;
    std::vector<doctor::SickFolder> folders;
};
Result<std::vector<History>> histories(store::Store& store, const std::vector<std::string>& ids) {
    std::vector<History> all;
    for (const auto& id : ids) {
        History history;
        const auto row = store.mailbox(id);
        if (!row) return row.error();
        history.paused = row->paused;
        const auto folders = store.folders(row->number);
        if (!folders) return folders.error();
        for (const auto& folder : *folders) {
            const auto pending = store.pending(folder.number);
            if (!pending) return pending.error();
            doctor::SickFolder sick;
            sick.name = folder.name;
            sick.frozen = folder.frozen;
            for (const auto& message : *pending) {
                if (message.attempts == 0) continue;  // only awaited
                if (sick.stuck++ == 0) sick.stuck_reason = message.reason;
            }
            if (sick.stuck > 0 || !sick.frozen.empty()) history.folders.push_back(std::move(sick));
        }
        all.push_back(std::move(history));
    }
    return all;
}

awaitable<Result<void>> add_histories(Surroundings& here, doctor::Plan& plan) {
    for (std::size_t from = 0; from < plan.patients.size(); from += patients_per_job) {
        std::vector<std::string> ids;
        for (std::size_t i = from; i < std::min(plan.patients.size(), from + patients_per_job); ++i)
            ids.push_back(plan.patients[i].mailbox.id);
        auto work = [ids = std::move(ids)](store::Workbench bench) { return histories(bench.store, ids); };
        auto read = co_await here.committer.run(here.home, std::move(work));
        if (!read) co_return read.error();
        for (std::size_t i = 0; i < read->size(); ++i) {
            auto& patient = plan.patients[from + i];
            patient.paused = std::move((*read)[i].paused);
            patient.folders = std::move((*read)[i].folders);
        }
    }
    co_return Result<void>();
}

void add_states(const Live& live, doctor::Plan& plan) {
    for (auto& patient : plan.patients) {
        const auto state = live.mailbox(patient.mailbox.id);
        if (!state) continue;
        patient.state = state->state;
        const bool is_fetched = state->state == retriever::word_of(retriever::Phase::idle);  // in part, perhaps
        if (!is_fetched) patient.reason = state->reason;
        patient.last_proof = state->last_proof;
    }
}

boost::json::object to_json(const doctor::Outcome& outcome) {
    boost::json::array hosts;
    for (const auto& host : outcome.hosts) hosts.emplace_back(host);
    return {
        {"id", outcome.mailbox},      {"address", outcome.address},       {"verdict", doctor::word_of(outcome.worst)},
        {"summary", outcome.summary}, {"credential", outcome.credential}, {"provider", outcome.provider},
        {"hosts", std::move(hosts)}};
}

boost::json::object to_json(const doctor::Finding& finding) {
    boost::json::object object{{"id", finding.id},
                               {"severity", doctor::word_of(finding.severity)},
                               {"subject", boost::json::object{{"kind", doctor::word_of(finding.subject.kind)},
                                                               {"name", finding.subject.name}}},
                               {"did", finding.did},
                               {"got", finding.got}};
    if (finding.severity == doctor::Severity::ok) return object;
    object["owner"] = doctor::word_of(finding.owner);
    object["cause"] = finding.cause;
    object["remedy"] = finding.remedy;
    return object;
}

boost::json::object to_json(const doctor::Report& report) {
    boost::json::array mailboxes, findings;
    for (const auto& outcome : report.mailboxes) mailboxes.push_back(to_json(outcome));
    for (const auto& finding : report.findings) findings.push_back(to_json(finding));
    return {{"state", "done"},
            {"checked_at", time_text(report.begun_at)},
            {"took_ms", report.took.count()},
            {"verdict", doctor::word_of(report.worst)},
            {"mailboxes", std::move(mailboxes)},
            {"findings", std::move(findings)}};
}

Response no_doctor() { return refusal(503, "nobody here can look at mailboxes"); }

}  // namespace

awaitable<Response> begin_check(Surroundings& here, std::string body) {
    if (here.doctor == nullptr) co_return no_doctor();
    const auto ids = ids_in(body);
    if (!ids) co_return refusal(422, "expected {\"mailboxes\": [\"ID\", …]}, or nothing for all of them");
    auto plan = co_await here.committer.run(here.home, plan_of_all);
    if (!plan) co_return failure(plan.error());
    for (const auto& id : *ids) {
        const bool there = std::any_of(plan->patients.begin(), plan->patients.end(),
                                       [&id](const auto& patient) { return patient.mailbox.id == id; });
        if (!there) {
            co_return refusal(404, fmt::format("there is no mailbox \"{}\"; rohrpost mailbox list shows all", id));
        }
    }
    if (!ids->empty()) {
        std::erase_if(plan->patients, [&ids](const auto& patient) { return !ids->contains(patient.mailbox.id); });
    }
    const auto added = co_await add_histories(here, *plan);
    if (!added) co_return failure(added.error());
    if (here.live != nullptr) add_states(*here.live, *plan);
    plan->redirect_uri = here.doctor->redirect_uri();
    if (here.sign_ins != nullptr) {
        if (const auto stray = here.sign_ins->stray()) plan->stray = doctor::StrayCallback{stray->address, stray->at};
    }
    auto begun = here.doctor->begin(std::move(*plan));
    if (!begun) co_return refusal(409, "other checks are running: try again when they have ended");
    co_return answer(boost::json::object{{"check", *begun}}, 201);
}

awaitable<Response> show_check(Surroundings& here, std::string id, std::chrono::milliseconds within) {
    if (here.doctor == nullptr) co_return no_doctor();
    const auto progress = co_await here.doctor->look(std::move(id), std::min(within, check_waited_max));
    if (!progress) co_return refusal(404, "there is no such check, or it ended long ago");
    if (progress->report) co_return answer(to_json(*progress->report));
    co_return answer(boost::json::object{{"state", "running"}, {"done", progress->done}, {"steps", progress->steps}});
}

}  // namespace control
