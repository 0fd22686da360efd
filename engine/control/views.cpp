#include "engine/control/views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "engine/consumers/body_reader.hpp"
#include "engine/control/json.hpp"
#include "engine/submission/acceptance.hpp"
#include "engine/submission/record.hpp"
#include "engine/view/view.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/dates.hpp"

namespace control {
namespace {

constexpr std::uint64_t front_bytes = 512 * 1024;  // of a mail that is too large
constexpr std::size_t arena_bytes = 16 * 1024;     // to begin with
constexpr std::chrono::minutes around_date{10};
constexpr std::size_t submissions_at_once = 500;
constexpr std::size_t submissions_looked_at = 5000;

view::Limits limits() {
    view::Limits limits;
    limits.mark_field = submission::mark_header;
    return limits;
}

/// A mail's row, and where its bytes are.
struct Stored {
    store::Message message;
    std::string mailbox;
    const store::Bodies* bodies = nullptr;
};

/// 404 stands for "no such message".
awaitable<boost::system::result<Stored, Response>> stored(Surroundings& here, std::string id) {
    using Found = boost::system::result<Stored, Response>;
    const auto digest = id_of(id);
    std::optional<Stored> found;
    if (digest) {
        auto work = [which = *digest, names = here.names](store::Workbench bench) -> Result<std::optional<Stored>> {
            const auto message = bench.store.message_by_id(which);
            if (!message) return message.error();
            if (!*message) return std::optional<Stored>();
            const auto name = names->name_of(bench.store, (*message)->mailbox);
            return std::optional(Stored{**message, name ? *name : std::string(), &bench.bodies});
        };
        auto looked = co_await here.committer.run(here.home, std::move(work));
        if (!looked) co_return Found(failure(looked.error()));
        found = std::move(*looked);
    }
    if (!found) {
        co_return Found(refusal(404, fmt::format("there is no message \"{}\"; ids are 32 hexadecimal digits, as inbox "
                                                 "list and next show them",
                                                 text::printable(id, 60))));
    }
    co_return Found(std::move(*found));
}

/// Whole, and checked; the front alone of one that is too large.
Result<std::string> bytes_of(const Stored& mail) {
    const auto& place = mail.message.body;
    if (place.length > viewed_bytes_max) return mail.bodies->read(place, 0, front_bytes);
    std::string bytes;
    bytes.reserve(place.length);
    consumers::BodyReader reader(*mail.bodies, place);
    while (!reader.finished()) {
        const auto piece = reader.next();
        if (!piece) return piece.error();
        bytes += *piece;
    }
    return bytes;
}

Response unreadable(const Stored& mail, error_code reason) {
    if (reason != store::errc::damaged) return failure(reason);
    return refusal(500,
                   fmt::format("the bytes of message {} are damaged: it cannot be read", id_text(mail.message.id)));
}

/// Where a report says which mail it is about; nullptr: it is none, or does not say.
boost::json::object* reported_in(boost::json::object& view) {
    for (const std::string_view key : {"delivery_report", "complaint"}) {
        auto* report = view.if_contains(key);
        if (report == nullptr) continue;
        auto& about = report->as_object().at("about").as_object();
        return about.contains("submission_mark") ? &about : nullptr;
    }
    return nullptr;
}

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// A view, complete but for the submission that a report is about.
struct Viewed {
    std::optional<Response> ready{};               // there is nothing to look for
    std::shared_ptr<boost::json::object> facts{};  // else
    std::string mark{};
    store::Millis sent_at{};
};

boost::json::object view_in(const Stored& mail, const std::string& bytes, const boost::json::storage_ptr& memory) {
    if (mail.message.body.length <= viewed_bytes_max) return view::view_of(bytes, limits(), memory);
    auto head = view::headers_of(bytes, limits(), memory);
    head["readable"] = false;
    head["why"] = fmt::format("larger than {} bytes", viewed_bytes_max);
    return head;
}

Viewed viewed(const Stored& mail) {
    Viewed result;
    const auto bytes = bytes_of(mail);
    if (!bytes) {
        result.ready = unreadable(mail, bytes.error());
        return result;
    }
    // Made, printed and thrown away: no piece of it is freed by itself.
    boost::json::monotonic_resource arena(arena_bytes);
    boost::json::object facts(to_json(mail.message, mail.mailbox), &arena);
    facts["view"] = view_in(mail, *bytes, &arena);
    const auto* about = reported_in(facts["view"].as_object());
    const auto date = about == nullptr ? std::nullopt : mime::read_date(text_at(*about, "date"));
    if (!date) {
        result.ready = answer(facts);
        return result;
    }
    result.facts = std::make_shared<boost::json::object>(facts, boost::json::storage_ptr());
    result.mark = text_at(*about, "submission_mark");
    result.sent_at = store::Millis(date->at);
    return result;
}

/// The submission whose private header has that mark. Ids rise with the time of acceptance, which is about that of the
/// mail's Date. nullopt: none that was accepted around then and is still known.
Result<std::optional<store::SubmissionId>> submission_of(store::Outbox& outbox, const std::string& mark,
                                                         store::Millis sent_at) {
    const auto id_at = [](store::Millis time) {
        constexpr std::int64_t last = (std::int64_t{1} << 43U) - 1;
        return std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, last) << 20U;
    };
    auto after = id_at(sent_at - around_date);
    for (std::size_t seen = 0; seen < submissions_looked_at;) {
        const auto rows = outbox.submissions(store::Outbox::Which::all, after, submissions_at_once);
        if (!rows) return rows.error();
        for (const auto& row : *rows) {
            if (row.id > id_at(sent_at + around_date)) return std::nullopt;
            const auto ticket = submission::ticket_from(row.envelope);
            if (ticket && ticket->mark == mark) return row.id;
            after = row.id;
        }
        seen += rows->size();
        if (rows->size() < submissions_at_once) return std::nullopt;
    }
    return std::nullopt;
}

Response file(const Stored& mail, std::size_t part) {
    if (mail.message.body.length > viewed_bytes_max)
        return refusal(413,
                       fmt::format("the message has more than {} bytes: take it whole, with /raw", viewed_bytes_max));
    const auto bytes = bytes_of(mail);
    if (!bytes) return unreadable(mail, bytes.error());
    auto found = view::file_of(*bytes, part, limits());
    if (!found) return refusal(404, fmt::format("the message has no part {}; its view names those it has", part));
    Response response;
    response.type = "application/octet-stream";
    response.headers = {{"Content-Disposition", view::disposition_of(found->name)},
                        {"Content-Security-Policy", "default-src 'none'; sandbox"}};
    response.body = std::move(found->bytes);
    return response;
}

Response busy() { return refusal(503, "many mails are being read: ask again in a moment"); }

}  // namespace

awaitable<Response> view_message(Surroundings& here, std::string id) {
    auto mail = co_await stored(here, std::move(id));
    if (!mail) co_return mail.error();
    auto work = [which = std::move(*mail)] { return viewed(which); };
    auto result = co_await here.worker->run(here.home, std::move(work));
    if (!result) co_return busy();
    if (result->ready) co_return std::move(*result->ready);
    auto search = [mark = result->mark, sent_at = result->sent_at](store::Workbench bench) {
        return submission_of(bench.store.outbox(), mark, sent_at);
    };
    auto found = co_await here.committer.run(here.home, std::move(search));
    if (!found) co_return failure(found.error());
    const auto facts = std::move(result->facts);
    if (*found) (*reported_in((*facts)["view"].as_object()))["submission"] = submission::id_text(**found);
    auto print = [facts] { return answer(*facts); };
    auto response = co_await here.worker->run(here.home, std::move(print));
    if (!response) co_return busy();
    co_return std::move(*response);
}

awaitable<Response> read_part(Surroundings& here, std::string id, std::size_t part) {
    auto mail = co_await stored(here, std::move(id));
    if (!mail) co_return mail.error();
    auto work = [which = std::move(*mail), part] { return file(which, part); };
    auto response = co_await here.worker->run(here.home, std::move(work));
    if (!response) co_return busy();
    co_return std::move(*response);
}

}  // namespace control
