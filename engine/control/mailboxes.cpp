#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "engine/config/documents.hpp"
#include "engine/control/after.hpp"
#include "engine/control/backfill.hpp"
#include "engine/control/commands.hpp"
#include "engine/control/json.hpp"
#include "engine/control/shadow.hpp"
#include "engine/submission/switches.hpp"

namespace control {
namespace {

constexpr std::size_t pending_shown_max = 100;
constexpr std::size_t set_aside_shown_max = 100;

std::string unknown(std::string_view id) {
    return fmt::format("there is no mailbox \"{}\"; rohrpost mailbox list shows all", id);
}

boost::json::object to_json(const store::Renumbering& renumbering) {
    using Stage = store::Renumbering::Stage;
    boost::json::object object{{"at", time_text(renumbering.began)},
                               {"before", renumbering.before},
                               {"now", renumbering.now},
                               {"compared", renumbering.stage >= Stage::compared}};
    if (renumbering.stage < Stage::compared) return object;
    object["recognised"] = renumbering.recognised;
    object["new"] = renumbering.fresh;
    object["before_start"] = renumbering.passed_over;
    return object;
}

boost::json::object to_json(const store::Folder& folder, const std::vector<store::Pending>& pending) {
    boost::json::object object{{"name", folder.name}, {"uid_validity", folder.uid_validity}, {"cursor", folder.cursor}};
    if (!folder.frozen.empty()) object["frozen"] = folder.frozen;
    boost::json::array waiting;
    std::size_t count = 0;
    for (const auto& row : pending) {
        if (row.attempts == 0) continue;  // nothing is amiss: deleted most likely
        if (++count > pending_shown_max) continue;
        waiting.push_back(boost::json::object{{"uid", row.uid},
                                              {"attempts", row.attempts},
                                              {"first_seen", time_text(row.first_seen)},
                                              {"reason", row.reason}});
    }
    if (count > 0) object["pending"] = std::move(waiting);
    if (count > 0) object["pending_count"] = count;
    if (pending.size() > count) object["awaited_count"] = pending.size() - count;
    return object;
}

/// What sessions noted about the folder.
Result<void> add_notes(store::Store& store, const store::Folder& folder, boost::json::object& into) {
    const auto after = store.folder_notes().after_state(folder.number);
    if (!after) return after.error();
    if (*after) into["after"] = control::to_json(**after);
    const auto contact = store.folder_notes().first_contact(folder.number);
    if (!contact) return contact.error();
    if (*contact) into["first_contact"] = control::to_json(**contact);
    const auto backfill = store.folder_notes().backfill(folder.number);
    if (!backfill) return backfill.error();
    if (*backfill) into["backfill"] = control::to_json(**backfill);
    const auto shadow = store.shadows().folder(folder.number);
    if (!shadow) return shadow.error();
    if (*shadow) into["observed"] = control::to_json(**shadow);
    return {};
}

Result<boost::json::object> to_json(store::Store& store, const store::SetAside& set_aside) {
    const auto rows = store.messages(set_aside.mailbox, set_aside.seq - 1, 1);
    if (!rows) return rows.error();
    boost::json::object object{{"consumer", set_aside.consumer},
                               {"seq", set_aside.seq},
                               {"at", time_text(set_aside.at)},
                               {"reason", set_aside.reason}};
    if (!rows->empty()) {
        object["id"] = id_text(rows->front().id);
        object["uid"] = rows->front().uid;
        object["segment"] = rows->front().body.segment;
    }
    return object;
}

Result<boost::json::object> shown(store::Store& store, const std::string& id, const Live* live) {
    const auto row = store.mailbox(id);
    if (!row) return row.error();
    if (row->removed) return store::errc::unknown_id;
    auto object = control::to_json(*row, live);
    error_code unreadable;
    object["configuration"] = boost::json::parse(row->document, unreadable);
    const auto folders = store.folders(row->number);
    if (!folders) return folders.error();
    boost::json::array list;
    for (const auto& folder : *folders) {
        const auto pending = store.pending(folder.number);
        if (!pending) return pending.error();
        auto shown_folder = to_json(folder, *pending);
        const auto noted = add_notes(store, folder, shown_folder);
        if (!noted) return noted.error();
        const auto renumbering = store.accounting().renumbering(folder.number);
        if (!renumbering) return renumbering.error();
        if (*renumbering) shown_folder["uid_validity_changed"] = to_json(**renumbering);
        list.push_back(std::move(shown_folder));
    }
    object["folders"] = std::move(list);
    const auto state = live == nullptr ? std::nullopt : live->mailbox(id);
    if (state && state->audit) object["audit"] = control::to_json(*state->audit);
    const auto set_aside = store.all_set_aside(row->number, set_aside_shown_max);
    if (!set_aside) return set_aside.error();
    boost::json::array damaged;
    for (const auto& each : *set_aside) {
        const auto message = to_json(store, each);
        if (!message) return message.error();
        damaged.push_back(*message);
    }
    if (!damaged.empty()) object["set_aside"] = std::move(damaged);
    const auto* named = object.if_contains("consumer");
    if (named == nullptr || named->get_string().empty()) return object;
    const std::string consumer(named->get_string());  // the object moves its values as it grows
    const auto hand_off = store.hand_offs(consumer, store::Store::Which::all, row->number - 1, 1);
    if (!hand_off) return hand_off.error();
    if (!hand_off->empty() && hand_off->front().mailbox == row->number)
        object["acknowledged"] = hand_off->front().acked;
    const auto waits = live == nullptr ? std::string() : live->hand_off_reason(consumer, id);
    if (!waits.empty()) object["hand_off_waits"] = waits;
    return object;
}

}  // namespace

awaitable<Response> list_mailboxes(Surroundings& here, std::string after, std::size_t limit) {
    limit = std::clamp<std::size_t>(limit, 1, page_rows_max);
    auto work = [after = std::move(after), limit](store::Workbench bench) {
        return bench.store.mailboxes(after, limit + 1);
    };
    auto rows = co_await here.committer.run(here.home, std::move(work));
    if (!rows) co_return failure(rows.error());
    boost::json::array list;
    for (std::size_t i = 0; i < std::min(rows->size(), limit); ++i) list.push_back(to_json((*rows)[i], here.live));
    boost::json::object page{{"mailboxes", std::move(list)}};
    if (rows->size() > limit) page["next"] = (*rows)[limit - 1].id;
    co_return answer(page);
}

awaitable<Response> list_mailboxes_in(Surroundings& here, std::string state, std::string after, std::size_t limit) {
    limit = std::clamp<std::size_t>(limit, 1, page_rows_max);
    std::vector<std::string> ids;
    if (here.live != nullptr) ids = here.live->mailboxes_in(state, after, limit + 1);
    boost::json::object page;
    if (ids.size() > limit) {
        ids.pop_back();
        page["next"] = ids.back();
    }
    auto work = [ids](store::Workbench bench) -> Result<std::vector<store::Mailbox>> {
        std::vector<store::Mailbox> rows;
        for (const auto& id : ids) {
            auto row = bench.store.mailbox(id);
            if (!row && row.error() != store::errc::unknown_id) return row.error();
            if (row && !row->removed) rows.push_back(std::move(*row));
        }
        return rows;
    };
    auto rows = co_await here.committer.run(here.home, std::move(work));
    if (!rows) co_return failure(rows.error());
    boost::json::array list;
    for (const auto& row : *rows) list.push_back(to_json(row, here.live));
    page["mailboxes"] = std::move(list);
    co_return answer(page);
}

awaitable<Response> show_mailbox(Surroundings& here, std::string id) {
    auto work = [id, live = here.live](store::Workbench bench) { return shown(bench.store, id, live); };
    auto object = co_await here.committer.run(here.home, std::move(work));
    if (!object && object.error() == store::errc::unknown_id) co_return refusal(404, unknown(id));
    if (!object) co_return failure(object.error());
    co_return answer(*object);
}

awaitable<Response> pause_mailbox(Surroundings& here, std::string id, std::string reason) {
    auto work = [id, reason](store::Workbench bench) { return bench.store.pause_mailbox(id, reason); };
    auto paused = co_await here.committer.run(here.home, std::move(work));
    if (!paused && paused.error() == store::errc::unknown_id) co_return refusal(404, unknown(id));
    if (!paused) co_return failure(paused.error());
    here.senders->forget();
    if (here.live != nullptr) here.live->changed();
    co_return answer(boost::json::object{{"id", id}, {"paused", reason}});
}

awaitable<Response> audit_mailbox(Surroundings& here, std::string id) {
    auto look_up = [id](store::Workbench bench) { return bench.store.mailbox(id); };
    auto row = co_await here.committer.run(here.home, std::move(look_up));
    const bool gone = (!row && row.error() == store::errc::unknown_id) || (row && row->removed);
    if (gone) co_return refusal(404, unknown(id));
    if (!row) co_return failure(row.error());
    const auto mailbox = config::from_document<config::Mailbox>(row->document);
    if (mailbox && mailbox->shadow)
        co_return refusal(409, fmt::format("mailbox {} is a shadow: nothing of it is taken in that could be compared; "
                                           "rohrpost mailbox shadow {} tells what another product missed",
                                           id, id));
    if (here.live == nullptr) co_return refusal(503, "no daemon runs, and only it speaks with servers");
    if (!row->paused.empty()) co_return refusal(409, fmt::format("mailbox {} is paused: {}", id, row->paused));
    const auto asked_at = here.live->audit(id);
    if (!asked_at) co_return refusal(409, fmt::format("mailbox {} is not served (yet)", id));
    co_return answer(boost::json::object{{"id", id}, {"asked_at", time_text(*asked_at)}}, 202);
}

awaitable<Response> remove_mailbox(Surroundings& here, std::string id) {
    auto work = [id](store::Workbench bench) -> Result<void> {
        const auto removed = bench.store.remove_mailbox(id);
        return removed ? submission::suspend(bench.store, id, "") : removed;
    };
    auto removed = co_await here.committer.run(here.home, std::move(work));
    if (!removed && removed.error() == store::errc::unknown_id) co_return refusal(404, unknown(id));
    if (!removed) co_return failure(removed.error());
    here.senders->forget();
    if (here.live != nullptr) here.live->changed();
    co_return answer(boost::json::object{{"id", id}, {"removed", true}});
}

}  // namespace control
