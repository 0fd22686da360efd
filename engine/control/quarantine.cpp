#include "engine/control/quarantine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "engine/config/documents.hpp"
#include "engine/control/json.hpp"
#include "protocols/base/text.hpp"
#include "queue/store/folder_notes.hpp"

namespace control {
namespace {

constexpr std::size_t rows_looked_at_max = 10'000;  // of one call

/// "CONSUMER/MAILBOX/SEQ": where the next page begins. Ids hold no slash.
std::string place_text(const store::SetAside& row) {
    return fmt::format("{}/{}/{}", row.consumer, row.mailbox, row.seq);
}

std::optional<store::SetAside> place_of(const std::string& text) {
    store::SetAside place;
    if (text.empty()) return place;
    const auto parts = text::split(text, '/');
    if (parts.size() != 3) return std::nullopt;
    const auto mailbox = text::number<std::int64_t>(parts[1]), seq = text::number<std::int64_t>(parts[2]);
    if (!mailbox || !seq) return std::nullopt;
    place.consumer = std::string(parts[0]);
    place.mailbox = *mailbox;
    place.seq = *seq;
    return place;
}

/// Looks at what is set aside, page by page, on the committer's thread.
class Listing {
public:
    Listing(QuarantineQuery query, store::SetAside after, std::shared_ptr<MailboxNames> names)
        : query_(std::move(query)), after_(std::move(after)), names_(std::move(names)) {}

    Result<Response> operator()(store::Workbench bench) const {
        boost::json::array list;
        auto after = after_;
        if (after.consumer < query_.consumer) after = before_all_of(query_.consumer);
        bool more = false;
        for (std::size_t seen = 0; seen < rows_looked_at_max && !more;) {
            const auto page = bench.store.set_aside_after(after, page_rows_max);
            if (!page) return page.error();
            for (const auto& row : *page) {
                const bool beyond = !query_.consumer.empty() && row.consumer != query_.consumer;
                if (beyond) return said(std::move(list), {});
                auto shown = to_json(bench.store, row);
                if (!shown) return shown.error();
                const bool wanted = query_.mailbox.empty() || shown->at("mailbox").as_string() == query_.mailbox;
                if (wanted && list.size() == query_.limit) return said(std::move(list), place_text(after));
                after = row;
                if (wanted) list.push_back(std::move(*shown));
            }
            if (page->size() < page_rows_max) return said(std::move(list), {});
            seen += page->size();
        }
        return said(std::move(list), place_text(after));
    }

private:
    static store::SetAside before_all_of(const std::string& consumer) {
        store::SetAside place;
        place.consumer = consumer;
        return place;
    }

    static Response said(boost::json::array list, const std::string& next) {
        boost::json::object object{{"messages", std::move(list)}};
        if (!next.empty()) object["next"] = next;
        return answer(object);
    }

    Result<boost::json::object> to_json(store::Store& store, const store::SetAside& row) const {
        const auto name = names_->name_of(store, row.mailbox);
        const auto messages = store.messages(row.mailbox, row.seq - 1, 1);
        if (!messages) return messages.error();
        boost::json::object object{{"consumer", row.consumer},
                                   {"mailbox", name ? *name : std::string()},
                                   {"seq", row.seq},
                                   {"at", time_text(row.at)},
                                   {"reason", row.reason}};
        if (messages->empty() || messages->front().seq != row.seq) return object;
        object["id"] = id_text(messages->front().id);
        object["received_at"] = time_text(messages->front().received_at);
        object["bytes"] = messages->front().body.length;
        return object;
    }

    QuarantineQuery query_;
    store::SetAside after_;
    std::shared_ptr<MailboxNames> names_;
};

/// Who set a message aside: those of that consumer, or all. Empty: nobody.
Result<std::vector<store::SetAside>> rows_of(store::Store& store, const store::Digest& id,
                                             const std::string& consumer) {
    const auto message = store.message_by_id(id);
    if (!message) return message.error();
    std::vector<store::SetAside> rows;
    if (!*message) return rows;
    const auto subscriptions = store.folder_notes().subscriptions((*message)->mailbox);
    if (!subscriptions) return subscriptions.error();
    for (const auto& one : *subscriptions) {
        if (!consumer.empty() && one.consumer != consumer) continue;
        store::SetAside before;
        before.consumer = one.consumer;
        before.mailbox = (*message)->mailbox;
        before.seq = (*message)->seq - 1;
        const auto found = store.set_aside_after(before, 1);
        if (!found) return found.error();
        if (found->empty()) continue;
        const auto& row = found->front();
        if (row.consumer == one.consumer && row.mailbox == before.mailbox && row.seq == before.seq + 1)
            rows.push_back(row);
    }
    return rows;
}

Response nobody(std::string_view id) {
    return refusal(404, fmt::format("no message \"{}\" is set aside; rohrpost inbox quarantine list shows them",
                                    text::printable(id, 60)));
}

boost::json::array consumers_of(const std::vector<store::SetAside>& rows) {
    boost::json::array consumers;
    for (const auto& row : rows) consumers.emplace_back(row.consumer);
    return consumers;
}

struct Rewound {
    std::string consumer;
    store::MailboxNumber mailbox = 0;
    store::Seq acked = 0;
    store::Seq before = 0;
    store::Seq last_seq = 0;
};

Result<Rewound> rewound(store::Store& store, const std::string& id, store::Seq to) {
    const auto row = store.mailbox(id);
    if (!row) return row.error();
    if (row->removed) return store::errc::unknown_id;
    const auto mailbox = config::from_document<config::Mailbox>(row->document);
    if (!mailbox) return mailbox.error();
    Rewound done{.consumer = mailbox->consumer, .mailbox = row->number};
    const auto before = store.hand_offs(done.consumer, store::Store::Which::all, row->number - 1, 1);
    if (!before) return before.error();
    if (before->empty() || before->front().mailbox != row->number) return store::errc::unknown_id;
    done.before = before->front().acked;
    done.last_seq = before->front().last_seq;
    const auto acked = store.rewind(done.consumer, row->number, to);
    if (!acked) return acked.error();
    done.acked = *acked;
    return done;
}

}  // namespace

awaitable<Response> list_quarantine(Surroundings& here, QuarantineQuery query) {
    query.limit = std::clamp<std::size_t>(query.limit, 1, page_rows_max);
    const auto after = place_of(query.after);
    if (!after) co_return refusal(400, "after is no \"next\" of a page before");
    Listing work(std::move(query), *after, here.names);
    auto response = co_await here.committer.run(here.home, std::move(work));
    if (!response) co_return failure(response.error());
    co_return std::move(*response);
}

awaitable<Response> retry_quarantined(Surroundings& here, std::string consumer, std::string id) {
    const auto digest = id_of(id);
    if (!digest) co_return nobody(id);
    if (here.live == nullptr)
        co_return refusal(503, "no daemon runs that could hand it off: start it with rohrpost run");
    auto work = [which = *digest, consumer](store::Workbench bench) { return rows_of(bench.store, which, consumer); };
    auto rows = co_await here.committer.run(here.home, std::move(work));
    if (!rows) co_return failure(rows.error());
    if (rows->empty()) co_return nobody(id);
    for (const auto& row : *rows) {
        if (here.live->retry_set_aside(row.consumer, row.mailbox, row.seq)) continue;
        co_return refusal(409, fmt::format("nothing is handed off to consumer \"{}\": read the message by its id, then "
                                           "drop it",
                                           row.consumer));
    }
    co_return answer(boost::json::object{{"id", id}, {"retried", consumers_of(*rows)}}, 202);
}

awaitable<Response> drop_quarantined(Surroundings& here, std::string consumer, std::string id) {
    const auto digest = id_of(id);
    if (!digest) co_return nobody(id);
    auto work = [which = *digest, consumer](store::Workbench bench) -> Result<std::vector<store::SetAside>> {
        auto rows = rows_of(bench.store, which, consumer);
        if (!rows) return rows;
        for (const auto& row : *rows) {
            const auto dropped = bench.store.forget_set_aside(row.consumer, row.mailbox, row.seq);
            if (!dropped) return dropped.error();
        }
        return rows;
    };
    auto rows = co_await here.committer.run(here.home, std::move(work));
    if (!rows) co_return failure(rows.error());
    if (rows->empty()) co_return nobody(id);
    if (here.live != nullptr) here.live->acknowledged(rows->front().mailbox);
    co_return answer(boost::json::object{{"id", id}, {"dropped", consumers_of(*rows)}});
}

awaitable<Response> replay_mailbox(Surroundings& here, std::string mailbox, std::int64_t from) {
    auto work = [mailbox, from](store::Workbench bench) { return rewound(bench.store, mailbox, from - 1); };
    auto done = co_await here.committer.run(here.home, std::move(work));
    if (!done && done.error() == store::errc::unknown_id)
        co_return refusal(404, fmt::format("there is no mailbox \"{}\" whose mail a consumer gets; rohrpost mailbox "
                                           "list shows all",
                                           text::printable(mailbox, 60)));
    if (!done) co_return failure(done.error());
    if (here.live != nullptr) here.live->rewound(done->consumer, done->mailbox, done->before);
    co_return answer(boost::json::object{
        {"mailbox", mailbox}, {"consumer", done->consumer}, {"from", done->acked + 1}, {"last_seq", done->last_seq}});
}

}  // namespace control
