#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "engine/config/documents.hpp"
#include "engine/control/commands.hpp"
#include "engine/control/json.hpp"
#include "protocols/base/text.hpp"
#include "queue/store/folder_notes.hpp"

namespace control {
namespace {

using store::MailboxNumber;
using Which = store::Store::Which;

/// The pull consumer of that id, or the only one when the id is empty; a refusal says what to name.
Result<std::string> pull_consumer(store::Store& store, const std::string& wanted, Response& refused) {
    const auto objects = store.objects(config::consumer_kind);
    if (!objects) return objects.error();
    std::vector<std::string> pulls;
    for (const auto& object : *objects) {
        const auto consumer = config::from_document<config::Consumer>(object.document);
        const bool pull = consumer && consumer->kind == config::Consumer::Kind::pull;
        if (pull) pulls.push_back(object.id);
        if (object.id != wanted) continue;
        if (pull) return wanted;
        refused = refusal(
            409, fmt::format("consumer \"{}\" gets its mail delivered; only consumers of kind \"pull\" have an inbox",
                             wanted));
        return store::errc::unknown_id;
    }
    if (wanted.empty() && pulls.size() == 1) return pulls.front();
    if (!wanted.empty()) {
        refused = refusal(404, fmt::format("there is no consumer \"{}\"", text::printable(wanted, 60)));
    } else if (pulls.empty()) {
        refused = refusal(404, "there is no consumer of kind \"pull\"; import one, and mailboxes that name it");
    } else {
        refused = refusal(400, "there are several pull consumers; name one with --consumer");
    }
    return store::errc::unknown_id;
}

/// Hand-offs of the consumer that have something waiting: of one mailbox, or of the first `limit`.
Result<std::vector<store::HandOff>> waiting(store::Store& store, const std::string& consumer,
                                            const std::string& mailbox, std::size_t limit) {
    if (mailbox.empty()) return store.hand_offs(consumer, Which::waiting, 0, limit);
    const auto row = store.mailbox(mailbox);
    if (!row) return row.error();
    auto found = store.hand_offs(consumer, Which::waiting, row->number - 1, 1);
    if (found && !found->empty() && found->front().mailbox != row->number) found->clear();
    return found;
}

/// What a query finds on the committer's thread; `refused` when it makes no sense.
class Lookup {
public:
    Lookup(InboxQuery query, std::shared_ptr<MailboxNames> names)
        : query_(std::move(query)), names_(std::move(names)) {}

    Result<Response> list(store::Workbench bench) const {
        Response refused;
        const auto consumer = pull_consumer(bench.store, query_.consumer, refused);
        if (!consumer) return or_refusal(consumer.error(), refused);
        const auto hand_offs = waiting(bench.store, *consumer, query_.mailbox, query_.limit);
        if (!hand_offs) return or_refusal(hand_offs.error(), unknown_mailbox());
        boost::json::array list;
        for (const auto& hand_off : *hand_offs) {
            if (list.size() == query_.limit) break;
            const auto rows = bench.store.messages(hand_off.mailbox, hand_off.acked, query_.limit - list.size());
            if (!rows) return rows.error();
            const auto name = names_->name_of(bench.store, hand_off.mailbox);
            for (const auto& row : *rows) list.push_back(to_json(row, name ? *name : std::string()));
        }
        return answer(boost::json::object{{"consumer", *consumer}, {"messages", std::move(list)}});
    }

    Result<Response> next(store::Workbench bench) const {
        Response refused;
        const auto consumer = pull_consumer(bench.store, query_.consumer, refused);
        if (!consumer) return or_refusal(consumer.error(), refused);
        const auto hand_offs = waiting(bench.store, *consumer, query_.mailbox, mailboxes_compared);
        if (!hand_offs) return or_refusal(hand_offs.error(), unknown_mailbox());
        std::optional<store::Message> oldest;
        for (const auto& hand_off : *hand_offs) {
            const auto rows = bench.store.messages(hand_off.mailbox, hand_off.acked, 1);
            if (!rows) return rows.error();
            if (rows->empty() || (oldest && oldest->received_at <= rows->front().received_at)) continue;
            oldest = rows->front();
        }
        Response nothing;
        nothing.status = 204;
        if (!oldest) return nothing;
        const auto name = names_->name_of(bench.store, oldest->mailbox);
        auto object = to_json(*oldest, name ? *name : std::string());
        object["consumer"] = *consumer;
        return answer(object);
    }

private:
    [[nodiscard]] Response unknown_mailbox() const {
        return refusal(404, fmt::format("there is no mailbox \"{}\"", text::printable(query_.mailbox, 60)));
    }
    /// unknown_id has been put into words; any other error is the store's.
    static Result<Response> or_refusal(error_code reason, Response refused) {
        if (reason == store::errc::unknown_id) return refused;
        return reason;
    }

    InboxQuery query_;
    std::shared_ptr<MailboxNames> names_;
};

Response no_message(std::string_view id) {
    return refusal(404, fmt::format("there is no message \"{}\"; ids are 32 hexadecimal digits, as inbox list and next "
                                    "show them",
                                    text::printable(id, 60)));
}

/// For whoever has not acknowledged it: it is damaged for all of them, and the mail server has the only whole copy.
Result<void> set_aside(store::Store& store, const store::Message& message, store::Millis now) {
    const auto subscriptions = store.folder_notes().subscriptions(message.mailbox);
    if (!subscriptions) return subscriptions.error();
    for (const auto& one : *subscriptions) {
        if (one.acked >= message.seq) continue;
        const auto noted = store.set_aside({.consumer = one.consumer,
                                            .mailbox = message.mailbox,
                                            .seq = message.seq,
                                            .at = now,
                                            .reason = "its bytes are damaged"});
        if (!noted) return noted;
    }
    return {};
}

Result<Response> chunk(store::Workbench bench, const store::Digest& id, std::uint64_t offset, store::Millis now) {
    const auto message = bench.store.message_by_id(id);
    if (!message) return message.error();
    if (!*message) return no_message(id_text(id));
    const store::BodyPlace& place = (*message)->body;
    Response response;
    response.type = mail_type;
    if (offset >= place.length) return response;
    auto bytes = bench.bodies.read(place, offset, std::min<std::uint64_t>(place.length - offset, body_chunk_bytes_max));
    if (!bytes && bytes.error() == store::errc::damaged) {
        const auto noted = set_aside(bench.store, **message, now);
        if (!noted) return noted.error();
        return refusal(500,
                       fmt::format("the bytes of message {} are damaged (segment {}, {} bytes at {}): it cannot be "
                                   "read; acknowledge it, and the next one comes",
                                   id_text(id), place.segment, place.length, place.offset));
    }
    if (!bytes) return bytes.error();
    response.body = std::move(*bytes);
    return response;
}

/// The answer, and whose mail was acknowledged; 0: none was.
struct Acknowledged {
    Response answer;
    store::MailboxNumber mailbox = 0;
};

Result<Acknowledged> acknowledged(store::Store& store, const std::string& wanted, const store::Digest& id,
                                  Reach reach) {
    Response refused;
    const auto consumer = pull_consumer(store, wanted, refused);
    if (!consumer && consumer.error() == store::errc::unknown_id) return Acknowledged{refused};
    if (!consumer) return consumer.error();
    const auto message = store.message_by_id(id);
    if (!message) return message.error();
    if (!*message) return Acknowledged{no_message(id_text(id))};
    const auto hand_offs = store.hand_offs(*consumer, Which::all, (*message)->mailbox - 1, 1);
    if (!hand_offs) return hand_offs.error();
    if (hand_offs->empty() || hand_offs->front().mailbox != (*message)->mailbox) {
        return Acknowledged{refusal(404, fmt::format("message {} is not for consumer \"{}\"", id_text(id), *consumer))};
    }
    const store::Seq acked = hand_offs->front().acked;
    const store::Seq seq = (*message)->seq;
    if (reach == Reach::only && seq > acked + 1) {
        const auto oldest = store.messages((*message)->mailbox, acked, 1);
        if (!oldest) return oldest.error();
        if (!oldest->empty() && oldest->front().seq < seq) {
            return Acknowledged{
                refusal(409, fmt::format("message {} comes first in that mailbox; acknowledge it before, or use "
                                         "--through to acknowledge all up to this one",
                                         id_text(oldest->front().id)))};
        }
    }
    const auto done = store.acknowledge(*consumer, (*message)->mailbox, seq);
    if (!done) return done.error();
    const boost::json::object said{
        {"id", id_text(id)}, {"consumer", *consumer}, {"acknowledged", std::max(seq, acked)}};
    return Acknowledged{answer(said), (*message)->mailbox};
}

}  // namespace

Result<std::string> MailboxNames::name_of(store::Store& store, store::MailboxNumber number) {
    const auto known = known_.find(number);
    if (known != known_.end()) return known->second;
    std::string after;
    for (;;) {
        const auto page = store.mailboxes(after, page_rows_max);
        if (!page) return page.error();
        for (const auto& row : *page) known_.try_emplace(row.number, row.id);
        if (page->size() < page_rows_max) break;
        after = page->back().id;
    }
    const auto found = known_.find(number);
    if (found == known_.end()) return store::errc::unknown_id;
    return found->second;
}

awaitable<Response> list_inbox(Surroundings& here, InboxQuery query) {
    query.limit = std::clamp<std::size_t>(query.limit, 1, page_rows_max);
    auto work = [lookup = Lookup(std::move(query), here.names)](store::Workbench bench) { return lookup.list(bench); };
    auto response = co_await here.committer.run(here.home, std::move(work));
    if (!response) co_return failure(response.error());
    co_return std::move(*response);
}

awaitable<Response> next_message(Surroundings& here, InboxQuery query) {
    auto work = [lookup = Lookup(std::move(query), here.names)](store::Workbench bench) { return lookup.next(bench); };
    auto response = co_await here.committer.run(here.home, std::move(work));
    if (!response) co_return failure(response.error());
    co_return std::move(*response);
}

awaitable<Response> read_message(Surroundings& here, std::string id, std::uint64_t offset) {
    const auto digest = id_of(id);
    if (!digest) co_return no_message(id);
    auto work = [which = *digest, offset, now = now_of(here)](store::Workbench bench) {
        return chunk(bench, which, offset, now);
    };
    auto response = co_await here.committer.run(here.home, std::move(work));
    if (!response) co_return failure(response.error());
    co_return std::move(*response);
}

awaitable<Response> acknowledge(Surroundings& here, std::string consumer, std::string id, Reach reach) {
    const auto digest = id_of(id);
    if (!digest) co_return no_message(id);
    auto work = [consumer, which = *digest, reach](store::Workbench bench) {
        return acknowledged(bench.store, consumer, which, reach);
    };
    auto done = co_await here.committer.run(here.home, std::move(work));
    if (!done) co_return failure(done.error());
    if (here.live != nullptr && done->mailbox != 0) here.live->acknowledged(done->mailbox);
    co_return std::move(done->answer);
}

}  // namespace control
