#include "engine/control/backfill.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <optional>
#include <vector>

#include "engine/config/documents.hpp"
#include "engine/config/fields.hpp"
#include "engine/control/fetched_folders.hpp"
#include "engine/control/json.hpp"

namespace control {
namespace {

std::string day_text(store::Millis day) { return fmt::format("{:%Y-%m-%d}", day); }

std::string_view word_of(store::Backfill::State state) {
    switch (state) {
        case store::Backfill::State::running:
            return "running";
        case store::Backfill::State::done:
            return "done";
        case store::Backfill::State::cancelled:
            break;
    }
    return "cancelled";
}

Response no_mailbox(const std::string& id) {
    return refusal(404, fmt::format("there is no mailbox \"{}\"; rohrpost mailbox list shows all", id));
}

/// The answer, and whose session is to look; 0: nobody's.
struct Asked {
    Response answer;
    store::MailboxNumber mailbox = 0;
};

struct BackfillWork {
    std::string id;
    store::Millis from;
    std::string folder;
    store::Millis now;

    Result<Asked> operator()(store::Workbench bench) const {
        const auto row = bench.store.mailbox(id);
        if (!row && row.error() != store::errc::unknown_id) return row.error();
        if (!row || row->removed) return Asked{no_mailbox(id)};
        const auto mailbox = config::from_document<config::Mailbox>(row->document);
        if (!mailbox) return mailbox.error();
        if (mailbox->protocol != config::Protocol::imap)
            return Asked{refusal(422, "over POP3 everything that is listed is fetched; there is nothing to fill in")};
        if (mailbox->shadow)
            return Asked{refusal(422, fmt::format("mailbox \"{}\" is a shadow: nothing of it is fetched", id))};
        if (mailbox->consumer.empty())
            return Asked{refusal(422, fmt::format("mailbox \"{}\" only sends: it has no consumer", id))};
        auto folders = fetched_folders(bench.store, row->number, *mailbox);
        if (!folders) return folders.error();
        if (!folder.empty()) {
            const bool known = std::find(folders->begin(), folders->end(), folder) != folders->end();
            if (!known)
                return Asked{refusal(404, fmt::format("mailbox \"{}\" fetches from {}, not from \"{}\"", id,
                                                      fmt::join(*folders, ", "), folder))};
            *folders = {folder};
        }
        boost::json::array names;
        for (const auto& name : *folders) {
            const auto there = bench.store.folder(row->number, name);
            if (!there) return there.error();
            store::Backfill backfill;
            backfill.folder = there->number;
            backfill.from = from;
            backfill.asked_at = now;
            backfill.changed_at = now;
            const auto put = bench.store.folder_notes().put_backfill(backfill);
            if (!put) return put.error();
            names.emplace_back(name);
        }
        const boost::json::object said{{"id", id}, {"from", day_text(from)}, {"folders", std::move(names)}};
        return Asked{answer(said), row->number};
    }
};

struct CancelWork {
    std::string id;
    store::Millis now;

    Result<Response> operator()(store::Workbench bench) const {
        const auto row = bench.store.mailbox(id);
        if (!row && row.error() != store::errc::unknown_id) return row.error();
        if (!row || row->removed) return no_mailbox(id);
        const auto folders = bench.store.folders(row->number);
        if (!folders) return folders.error();
        std::size_t cancelled = 0;
        for (const auto& folder : *folders) {
            auto backfill = bench.store.folder_notes().backfill(folder.number);
            if (!backfill) return backfill.error();
            if (!*backfill || (*backfill)->state != store::Backfill::State::running) continue;
            (*backfill)->state = store::Backfill::State::cancelled;
            (*backfill)->changed_at = now;
            const auto put = bench.store.folder_notes().put_backfill(**backfill);
            if (!put) return put.error();
            ++cancelled;
        }
        return answer(boost::json::object{{"id", id}, {"cancelled", cancelled}});
    }
};

}  // namespace

boost::json::object to_json(const store::Backfill& backfill) {
    return {{"from", day_text(backfill.from)},
            {"state", word_of(backfill.state)},
            {"found", backfill.found},
            {"taken", backfill.taken},
            {"asked_at", time_text(backfill.asked_at)},
            {"changed_at", time_text(backfill.changed_at)}};
}

boost::json::object to_json(const store::FirstContact& contact) {
    boost::json::object object{{"at", time_text(contact.at)}, {"mails", contact.mails}};
    if (contact.oldest) object["oldest"] = day_text(*contact.oldest);
    object["passed_over"] = contact.passed_over;
    return object;
}

awaitable<Response> backfill_mailbox(Surroundings& here, std::string id, std::string from, std::string folder) {
    const auto day = config::date_of(from);
    const auto now = now_of(here);
    if (!day) co_return refusal(422, fmt::format("from: found \"{}\", expected a day like 2026-01-31", from));
    if (*day > now) co_return refusal(422, fmt::format("from: {} has not come yet", from));
    BackfillWork work{std::move(id), store::Millis(*day), std::move(folder), now};
    auto asked = co_await here.committer.run(here.home, std::move(work));
    if (!asked) co_return failure(asked.error());
    if (here.live != nullptr && asked->mailbox != 0) here.live->look_again(asked->mailbox);
    co_return std::move(asked->answer);
}

awaitable<Response> cancel_backfill(Surroundings& here, std::string id) {
    CancelWork work{std::move(id), now_of(here)};
    auto cancelled = co_await here.committer.run(here.home, std::move(work));
    if (!cancelled) co_return failure(cancelled.error());
    co_return std::move(*cancelled);
}

}  // namespace control
