#include "engine/control/shadow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "engine/config/documents.hpp"
#include "engine/config/read_shadow.hpp"
#include "engine/config/words.hpp"
#include "engine/control/commands.hpp"
#include "engine/control/json.hpp"
#include "engine/retriever/shadow_report.hpp"
#include "protocols/base/text.hpp"

namespace control {
namespace {

using retriever::ShadowReport;

constexpr std::size_t page_mails = 1000;  // looked at in one step: others' jobs go between

/// Whose mail is judged; a refusal in place of it.
struct Subject {
    std::optional<Response> refused;
    store::MailboxNumber number = 0;
    config::Shadow shadow;
    std::vector<store::ShadowFolder> folders;
    std::map<store::FolderNumber, std::string> names;
};

struct SubjectWork {
    std::string id;

    Result<Subject> operator()(store::Workbench bench) const {
        Subject subject;
        const auto row = bench.store.mailbox(id);
        if (!row && row.error() != store::errc::unknown_id) return row.error();
        if (!row || row->removed) {
            subject.refused =
                refusal(404, fmt::format("there is no mailbox \"{}\"; rohrpost mailbox list shows all", id));
            return subject;
        }
        const auto mailbox = config::from_document<config::Mailbox>(row->document);
        if (!mailbox) return mailbox.error();
        if (!mailbox->shadow) {
            subject.refused = refusal(404, fmt::format("mailbox \"{}\" is no shadow of another product's: its import "
                                                       "document has no \"shadow\"",
                                                       id));
            return subject;
        }
        subject.number = row->number;
        subject.shadow = *mailbox->shadow;
        auto folders = bench.store.shadows().folders(row->number);
        if (!folders) return folders.error();
        subject.folders = std::move(*folders);
        std::erase_if(subject.folders, [](const auto& folder) { return folder.looked_at == store::Millis(); });
        const auto names = bench.store.folders(row->number);
        if (!names) return names.error();
        for (const auto& folder : *names) subject.names[folder.number] = folder.name;
        return subject;
    }
};

std::string_view word_of(ShadowReport::What what) {
    switch (what) {
        case ShadowReport::What::late:
            return "late";
        case ShadowReport::What::missed:
            return "missed";
        case ShadowReport::What::doubled:
            return "doubled";
        case ShadowReport::What::not_comparable:
            return "not comparable";
        case ShadowReport::What::unknown_here:
            break;
    }
    return "unknown here";
}

std::int64_t seconds_of(std::chrono::milliseconds span) {
    return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

boost::json::object to_json(const ShadowReport::Row& row, const std::map<store::FolderNumber, std::string>& names) {
    boost::json::object object{{"what", word_of(row.what)}};
    if (row.at) object["at"] = time_text(*row.at);
    if (!row.message_id.empty()) object["message_id"] = '<' + row.message_id + '>';
    if (const auto name = names.find(row.folder); name != names.end()) object["folder"] = name->second;
    if (row.what == ShadowReport::What::late) object["delay_seconds"] = seconds_of(row.delay);
    if (row.times > 0) object["times"] = row.times;
    return object;
}

/// What is asked, and the period that it is about.
struct Asked {
    ShadowReport::Question question;
    store::Millis from{};
    store::Millis until{};
    std::uint64_t unseen = 0;
};

Asked asked_of(const Subject& subject, const ShadowQuery& query, std::optional<store::Millis> since,
               store::Millis until) {
    Asked asked;
    asked.question.shadow = subject.shadow;
    asked.question.rows_skipped = query.after;
    asked.question.rows_max = query.limit;
    asked.from = subject.folders.front().since;
    asked.until = subject.folders.front().looked_at;
    for (const auto& folder : subject.folders) {
        asked.question.looked_at[folder.folder] = folder.looked_at;
        asked.from = std::min(asked.from, folder.since);
        asked.until = std::min(asked.until, folder.looked_at);
        asked.unseen += folder.unseen;
    }
    if (since) asked.question.since = *since;
    if (since) asked.from = std::max(asked.from, *since);
    if (query.list) asked.until = until;
    asked.question.until = until;
    return asked;
}

boost::json::object to_json(const Asked& asked, const Subject& subject, const ShadowQuery& query,
                            const ShadowReport& report) {
    const auto& counts = report.counts();
    boost::json::object object{{"mailbox", query.mailbox},
                               {"by", query.list ? "list" : "server"},
                               {"taken_by", config::word_of(config::taken_words, subject.shadow.taken)},
                               {"grace_seconds", seconds_of(subject.shadow.grace)},
                               {"from", time_text(asked.from)},
                               {"until", time_text(asked.until)},
                               {"observed", counts.observed},
                               {"taken", counts.taken},
                               {"late", counts.late},
                               {"longest_delay_seconds", seconds_of(counts.longest_delay)},
                               {"missed", counts.missed},
                               {"open", counts.open},
                               {"moved", counts.moved},
                               {"came_and_went", asked.unseen}};
    if (query.list) {
        object["doubled"] = counts.doubled;
        object["not_comparable"] = counts.not_comparable;
        object["unknown_here"] = counts.unknown_here;
    } else {
        object["not_watched"] = counts.not_watched;
        object["gone_unflagged"] = counts.gone_unflagged;
    }
    boost::json::array rows;
    for (const auto& row : report.rows()) rows.push_back(to_json(row, subject.names));
    const auto next = query.after + rows.size();
    object["rows"] = std::move(rows);
    if (next < report.rows_in_all()) object["next"] = next;
    return object;
}

}  // namespace

boost::json::object to_json(const config::Shadow& shadow) {
    return {{"taken", config::word_of(config::taken_words, shadow.taken)}, {"grace", config::grace_text(shadow.grace)}};
}

boost::json::object to_json(const store::ShadowFolder& folder) {
    return {{"since", time_text(folder.since)}, {"looked_at", time_text(folder.looked_at)}};
}

awaitable<Response> show_shadow(Surroundings& here, ShadowQuery query) {
    query.limit = std::clamp<std::size_t>(query.limit, 1, page_rows_max);
    const auto since = retriever::read_time(query.since);
    const auto given_until = retriever::read_time(query.until);
    if ((!query.since.empty() && !since) || (!query.until.empty() && !given_until))
        co_return refusal(400, "since and until: expected a day or a time like 2026-01-31T12:00:00Z");
    retriever::ShadowList list;
    if (query.list) list = retriever::read_shadow_list(*query.list);
    if (!list.fault.empty()) co_return refusal(400, "the list: " + list.fault);
    SubjectWork work{query.mailbox};
    auto subject = co_await here.committer.run(here.home, std::move(work));
    if (!subject) co_return failure(subject.error());
    if (subject->refused) co_return std::move(*subject->refused);
    if (subject->shadow.taken == config::Shadow::Taken::list && !query.list)
        co_return refusal(400,
                          "\"taken\" is \"list\": only a list of what the other product delivered can tell; give "
                          "it with --list");
    if (subject->folders.empty())
        co_return refusal(503, fmt::format("nothing was observed so far in mailbox \"{}\": rohrpost mailbox show {} "
                                           "tells what it is doing",
                                           query.mailbox, query.mailbox));
    const auto asked = asked_of(*subject, query, since, given_until.value_or(now_of(here)));
    ShadowReport report(asked.question, query.list ? &list : nullptr);
    list = {};
    store::Shadows::Place place;
    for (;;) {
        auto page_after = [number = subject->number, place](store::Workbench bench) {
            return bench.store.shadows().mails(number, place, page_mails);
        };
        auto page = co_await here.committer.run(here.home, std::move(page_after));
        if (!page) co_return failure(page.error());
        for (const auto& mail : *page) report.add(mail);
        if (page->size() < page_mails) break;
        place = {page->back().arrived_at, page->back().number};
    }
    report.finish();
    co_return answer(to_json(asked, *subject, query, report));
}

}  // namespace control
