#include "engine/control/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <map>

#include "engine/control/after.hpp"
#include "engine/control/backfill.hpp"
#include "engine/control/checks.hpp"
#include "engine/control/credentials.hpp"
#include "engine/control/events.hpp"
#include "engine/control/intake.hpp"
#include "engine/control/openapi.hpp"
#include "engine/control/quarantine.hpp"
#include "engine/control/removal.hpp"
#include "engine/control/shadow.hpp"
#include "engine/control/sign_in.hpp"
#include "engine/control/submissions.hpp"
#include "engine/control/views.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/addresses.hpp"

namespace control {
namespace {

/// A target taken apart and decoded.
struct Target {
    std::vector<std::string> path;
    std::map<std::string, std::string> parameters;

    [[nodiscard]] std::string parameter(const std::string& name) const {
        const auto found = parameters.find(name);
        return found == parameters.end() ? std::string() : found->second;
    }
    /// Whether there are no others than these.
    [[nodiscard]] bool takes(std::initializer_list<std::string_view> names) const {
        return std::all_of(parameters.begin(), parameters.end(), [&](const auto& parameter) {
            return std::find(names.begin(), names.end(), parameter.first) != names.end();
        });
    }
};

std::optional<Target> parsed(std::string_view text) {
    const auto url = boost::urls::parse_origin_form(text);
    if (!url) return std::nullopt;
    Target target;
    for (const auto& segment : url->segments()) target.path.push_back(segment);
    for (const auto& parameter : url->params()) {
        if (!target.parameters.emplace(parameter.key, parameter.value).second) return std::nullopt;
    }
    return target;
}

/// The number in a parameter, `standard` when it is absent; nullopt when it is no number.
std::optional<std::uint64_t> number_in(const Target& target, const std::string& name, std::uint64_t standard) {
    if (!target.parameters.contains(name)) return standard;
    return text::number<std::uint64_t>(target.parameter(name));
}

/// Why something is stopped; empty when it goes on.
std::string reason_of(const Target& target, bool goes_on, std::string_view standard) {
    if (goes_on) return {};
    auto reason = target.parameter("reason");
    return reason.empty() ? std::string(standard) : reason;
}

Response wrong_method(std::string_view allowed) { return refusal(405, fmt::format("expected {}", allowed)); }
Response wrong_parameter(std::string_view known) {
    return refusal(400, fmt::format("unknown or malformed parameter; expected {}", known));
}

Response plain(unsigned status, std::string text) {
    Response response;
    response.status = status;
    response.type = plain_type;
    response.body = std::move(text);
    return response;
}

/// Healthy: what has been promised can be kept. Ready: work is being done.
Response probe(const Surroundings& here, const std::string& name) {
    const auto stopped = here.committer.stats().stopped_by;
    if (name == "metrics") return plain(200, here.live == nullptr ? std::string() : here.live->metrics());
    if (stopped) return plain(503, "the store has stopped: " + stopped.message() + '\n');
    const std::string reason = name == "readyz" && here.live != nullptr ? here.live->not_ready() : std::string();
    return reason.empty() ? plain(200, "ok\n") : plain(503, reason + '\n');
}

/// Whether an import document has a consumer that runs a program.
bool runs_programs(const std::string& document) {
    error_code malformed;
    const auto value = boost::json::parse(document, malformed);
    const auto* object = malformed ? nullptr : value.if_object();
    const auto* consumers = object == nullptr ? nullptr : object->if_contains("consumers");
    const auto* list = consumers == nullptr ? nullptr : consumers->if_array();
    return list != nullptr && std::any_of(list->begin(), list->end(), [](const boost::json::value& one) {
               const auto* consumer = one.if_object();
               const auto* kind = consumer == nullptr ? nullptr : consumer->if_contains("kind");
               return kind != nullptr && kind->is_string() && kind->get_string() == "command";
           });
}

awaitable<Response> configuration(Surroundings& here, Request& request, const Target& target) {
    if (request.method == "GET") {
        const std::string secrets = target.parameter("secrets");
        if (!target.takes({"secrets"}) || (!secrets.empty() && secrets != "open")) {
            co_return wrong_parameter("secrets=open");
        }
        if (!secrets.empty() && request.from != From::owner) {
            co_return refusal(403, "secrets leave through the control socket alone: rohrpost export --with-secrets");
        }
        const auto as = secrets.empty() ? Secrets::sealed : Secrets::open;
        auto exported = co_await export_document(here, as);
        co_return exported;
    }
    if (!target.takes({})) co_return wrong_parameter("none");
    if (request.method != "PUT") co_return wrong_method("GET or PUT");
    if (request.from != From::owner && runs_programs(request.body)) {
        co_return refusal(403, "what programs are run is said through the control socket alone: rohrpost import");
    }
    auto imported = co_await import_document(here, std::move(request.body));
    co_return imported;
}

awaitable<Response> mailboxes(Surroundings& here, Request& request, const Target& target) {
    if (target.path.size() == 2) {
        const auto limit = number_in(target, "limit", page_rows_max);
        if (request.method != "GET") co_return wrong_method("GET");
        if (!limit || !target.takes({"after", "limit", "state"})) {
            co_return wrong_parameter("after=ID, limit=NUMBER, state=WORDS");
        }
        if (const auto state = target.parameter("state"); !state.empty()) {
            auto some = co_await list_mailboxes_in(here, state, target.parameter("after"), *limit);
            co_return some;
        }
        auto list = co_await list_mailboxes(here, target.parameter("after"), *limit);
        co_return list;
    }
    const std::string& id = target.path[2];
    if (target.path.size() == 3) {
        if (!target.takes({})) co_return wrong_parameter("none");
        if (request.method == "GET") {
            auto shown = co_await show_mailbox(here, id);
            co_return shown;
        }
        if (request.method != "DELETE") co_return wrong_method("GET or DELETE");
        auto removed = co_await remove_mailbox(here, id);
        co_return removed;
    }
    const std::string& act = target.path[3];
    if (target.path.size() == 4 && act == "audit") {
        if (request.method != "POST") co_return wrong_method("POST");
        if (!target.takes({})) co_return wrong_parameter("none");
        auto asked = co_await audit_mailbox(here, id);
        co_return asked;
    }
    if (target.path.size() == 4 && act == "after") {
        const auto limit = number_in(target, "limit", page_rows_max);
        if (request.method != "GET") co_return wrong_method("GET");
        if (!limit || !target.takes({"policy", "limit"})) co_return wrong_parameter("policy=WORD, limit=NUMBER");
        auto shown = co_await show_after(here, id, target.parameter("policy"), *limit);
        co_return shown;
    }
    if (target.path.size() == 4 && act == "shadow") {
        const auto limit = number_in(target, "limit", page_rows_max);
        const auto after = number_in(target, "after", 0);
        if (request.method != "GET" && request.method != "POST") co_return wrong_method("GET, or POST with a list");
        if (!limit || !after || !target.takes({"since", "until", "after", "limit"}))
            co_return wrong_parameter("since=TIME, until=TIME, after=NUMBER, limit=NUMBER");
        ShadowQuery query;
        query.mailbox = id;
        query.since = target.parameter("since");
        query.until = target.parameter("until");
        query.after = *after;
        query.limit = *limit;
        if (request.method == "POST") query.list = std::move(request.body);
        auto shown = co_await show_shadow(here, std::move(query));
        co_return shown;
    }
    if (target.path.size() == 4 && act == "replay") {
        const auto from = number_in(target, "from", 0);
        if (request.method != "POST") co_return wrong_method("POST");
        if (!from || *from == 0 || *from > INT64_MAX || !target.takes({"from"}))
            co_return wrong_parameter("from=SEQ, from 1 on");
        auto replayed = co_await replay_mailbox(here, id, static_cast<std::int64_t>(*from));
        co_return replayed;
    }
    if (target.path.size() == 4 && act == "backfill") {
        if (request.method == "DELETE") {
            if (!target.takes({})) co_return wrong_parameter("none");
            auto cancelled = co_await cancel_backfill(here, id);
            co_return cancelled;
        }
        if (request.method != "POST") co_return wrong_method("POST or DELETE");
        if (!target.takes({"from", "folder"})) co_return wrong_parameter("from=YYYY-MM-DD, folder=NAME");
        auto asked = co_await backfill_mailbox(here, id, target.parameter("from"), target.parameter("folder"));
        co_return asked;
    }
    if (target.path.size() != 4 || (act != "pause" && act != "resume")) co_return refusal(404, "no such path");
    if (request.method != "POST") co_return wrong_method("POST");
    if (!target.takes({"reason"})) co_return wrong_parameter("reason=TEXT");
    auto reason = reason_of(target, act == "resume", "paused by an operator");
    auto done = co_await pause_mailbox(here, id, std::move(reason));
    co_return done;
}

awaitable<Response> quarantine(Surroundings& here, const Request& request, const Target& target) {
    if (target.path.size() == 3) {
        const auto limit = number_in(target, "limit", 100);
        if (request.method != "GET") co_return wrong_method("GET");
        if (!limit || !target.takes({"consumer", "mailbox", "after", "limit"}))
            co_return wrong_parameter("consumer=ID, mailbox=ID, after=TEXT, limit=NUMBER");
        QuarantineQuery query{.consumer = target.parameter("consumer"),
                              .mailbox = target.parameter("mailbox"),
                              .after = target.parameter("after"),
                              .limit = *limit};
        auto list = co_await list_quarantine(here, std::move(query));
        co_return list;
    }
    const bool retries = target.path.size() == 5 && target.path[4] == "retry";
    if (!retries && (target.path.size() != 5 || target.path[4] != "drop")) co_return refusal(404, "no such path");
    if (request.method != "POST") co_return wrong_method("POST");
    if (!target.takes({"consumer"})) co_return wrong_parameter("consumer=ID");
    if (retries) {
        auto retried = co_await retry_quarantined(here, target.parameter("consumer"), target.path[3]);
        co_return retried;
    }
    auto dropped = co_await drop_quarantined(here, target.parameter("consumer"), target.path[3]);
    co_return dropped;
}

awaitable<Response> inbox(Surroundings& here, const Request& request, const Target& target) {
    if (target.path.size() > 2 && target.path[2] == "quarantine") {
        auto quarantined = co_await quarantine(here, request, target);
        co_return quarantined;
    }
    const bool next = target.path.size() == 3 && target.path[2] == "next";
    if (target.path.size() != 2 && !next) co_return refusal(404, "no such path");
    if (request.method != "GET") co_return wrong_method("GET");
    const auto limit = number_in(target, "limit", 100);
    if (!limit || !target.takes({"consumer", "mailbox", "limit"})) {
        co_return wrong_parameter("consumer=ID, mailbox=ID, limit=NUMBER");
    }
    InboxQuery query{.consumer = target.parameter("consumer"), .mailbox = target.parameter("mailbox"), .limit = *limit};
    if (next) {
        auto message = co_await next_message(here, std::move(query));
        co_return message;
    }
    auto list = co_await list_inbox(here, std::move(query));
    co_return list;
}

awaitable<Response> messages(Surroundings& here, const Request& request, const Target& target) {
    if (target.path.size() < 3 || target.path.size() > 5) co_return refusal(404, "no such path");
    const std::string& id = target.path[2];
    if (target.path.size() == 3) {
        if (request.method != "GET") co_return wrong_method("GET");
        if (!target.takes({})) co_return wrong_parameter("none");
        auto viewed = co_await view_message(here, id);
        co_return viewed;
    }
    if (target.path.size() == 5) {
        const auto part = text::number<std::size_t>(target.path[4]);
        if (target.path[3] != "parts" || !part) co_return refusal(404, "no such path");
        if (request.method != "GET") co_return wrong_method("GET");
        if (!target.takes({})) co_return wrong_parameter("none");
        auto file = co_await read_part(here, id, *part);
        co_return file;
    }
    if (target.path[3] == "raw") {
        const auto offset = number_in(target, "offset", 0);
        if (request.method != "GET") co_return wrong_method("GET");
        if (!offset || !target.takes({"offset"})) co_return wrong_parameter("offset=BYTES");
        auto chunk = co_await read_message(here, id, *offset);
        co_return chunk;
    }
    if (target.path[3] != "acknowledge") co_return refusal(404, "no such path");
    if (request.method != "POST") co_return wrong_method("POST");
    const std::string through = target.parameter("through");
    if (!target.takes({"consumer", "through"}) || (!through.empty() && through != "yes")) {
        co_return wrong_parameter("consumer=ID, through=yes");
    }
    const Reach reach = through.empty() ? Reach::only : Reach::through;
    auto done = co_await acknowledge(here, target.parameter("consumer"), id, reach);
    co_return done;
}

awaitable<Response> credentials(Surroundings& here, const Request& request, const Target& target) {
    if (target.path.size() == 2) {
        const auto limit = number_in(target, "limit", page_rows_max);
        if (request.method != "GET") co_return wrong_method("GET");
        if (!limit || !target.takes({"after", "limit"})) co_return wrong_parameter("after=ID, limit=NUMBER");
        auto list = co_await list_credentials(here, target.parameter("after"), *limit);
        co_return list;
    }
    if (target.path.size() == 3) {
        if (!target.takes({})) co_return wrong_parameter("none");
        if (request.method == "GET") {
            auto shown = co_await show_credential(here, target.path[2]);
            co_return shown;
        }
        if (request.method != "DELETE") co_return wrong_method("GET or DELETE");
        auto removed = co_await remove_thing(here, Thing::credential, target.path[2]);
        co_return removed;
    }
    if (target.path.size() != 4 || target.path[3] != "authorize") co_return refusal(404, "no such path");
    if (request.method != "POST") co_return wrong_method("POST");
    const std::string by = target.parameter("by");
    if (!target.takes({"by", "browser"}) || (by != "browser" && by != "device")) {
        co_return wrong_parameter("by=browser|device, browser=NAME");
    }
    const auto way = by == "device" ? SignInBy::device : SignInBy::browser;
    auto begun = co_await begin_sign_in(here, target.path[2], way, target.parameter("browser"));
    co_return begun;
}

awaitable<Response> sign_ins(Surroundings& here, Request& request, const Target& target) {
    if (target.path.size() != 3) co_return refusal(404, "no such path");
    if (target.path[2] == "finish") {
        if (request.method != "POST") co_return wrong_method("POST");
        if (!target.takes({"browser"})) co_return wrong_parameter("browser=NAME");
        auto finished = co_await finish_sign_in(here, std::move(request.body), target.parameter("browser"));
        co_return finished;
    }
    if (!target.takes({})) co_return wrong_parameter("none");
    if (request.method != "GET") co_return wrong_method("GET");
    auto shown = co_await show_sign_in(here, target.path[2]);
    co_return shown;
}

awaitable<Response> checks(Surroundings& here, Request& request, const Target& target) {
    if (target.path.size() == 2) {
        if (request.method != "POST") co_return wrong_method("POST");
        if (!target.takes({})) co_return wrong_parameter("none");
        auto begun = co_await begin_check(here, std::move(request.body));
        co_return begun;
    }
    const auto wait_ms = number_in(target, "wait_ms", 0);
    if (target.path.size() != 3) co_return refusal(404, "no such path");
    if (request.method != "GET") co_return wrong_method("GET");
    if (!wait_ms || *wait_ms > static_cast<std::uint64_t>(check_waited_max.count()) || !target.takes({"wait_ms"})) {
        co_return wrong_parameter("wait_ms=MILLISECONDS");
    }
    auto shown = co_await show_check(here, target.path[2], std::chrono::milliseconds(*wait_ms));
    co_return shown;
}

/// The type of a body without its parameters.
bool is_json(std::string_view type) {
    return text::same(text::trimmed(type.substr(0, type.find(';'))), "application/json");
}

awaitable<Response> take_submission(Surroundings& here, Request& request, const Target& target) {
    if (is_json(request.type)) {
        if (!target.takes({})) co_return wrong_parameter("none beside JSON, where everything stands in the document");
        auto taken = co_await submit_letter(here, std::move(request.body));
        co_return taken;
    }
    constexpr std::string_view known =
        "from=ADDRESS, to=ADDRESSES, to_headers=yes, key=TEXT, lane=alarm|interactive|bulk, not_before_ms=UNIX_TIME, "
        "life_s=SECONDS";
    constexpr std::uint64_t life_seconds = 48 * 3600;
    constexpr std::uint64_t life_seconds_max = 30 * 24 * 3600;
    submission::Order order;
    if (target.parameters.contains("from")) order.sender = target.parameter("from");
    const auto recipients = mime::addresses_in(target.parameter("to"));
    const auto lane = submission::lane_of(target.parameter("lane"));
    const auto not_before = number_in(target, "not_before_ms", 0);
    const auto life = number_in(target, "life_s", life_seconds);
    const std::string headers = target.parameter("to_headers");
    order.key = target.parameter("key");
    const bool key_fits = order.key.size() <= submission::key_bytes_max;
    if (!recipients || !lane || !not_before || *not_before > (std::uint64_t{1} << 43U) || !life || *life == 0 ||
        *life > life_seconds_max || !key_fits || (!headers.empty() && headers != "yes") ||
        !target.takes({"from", "to", "to_headers", "key", "lane", "not_before_ms", "life_s"}))
        co_return wrong_parameter(known);
    order.recipients = *recipients;
    order.recipients_of_headers = !headers.empty();
    order.lane = *lane;
    if (*not_before > 0) order.not_before = store::Millis(std::chrono::milliseconds(*not_before));
    order.life = std::chrono::seconds(*life);
    order.message = std::move(request.body);
    auto taken = co_await submit(here, std::move(order));
    co_return taken;
}

awaitable<Response> submissions(Surroundings& here, Request& request, const Target& target) {
    if (target.path.size() == 2 && request.method == "POST") {
        auto taken = co_await take_submission(here, request, target);
        co_return taken;
    }
    if (target.path.size() == 2) {
        if (request.method != "GET") co_return wrong_method("GET or POST");
        SubmissionQuery query{.after = std::nullopt,
                              .mailbox = target.parameter("mailbox"),
                              .domain = target.parameter("domain"),
                              .state = target.parameter("state"),
                              .before = std::nullopt};
        const auto limit = number_in(target, "limit", query.limit);
        const auto before = number_in(target, "before_ms", 0);
        if (!target.parameter("after").empty()) query.after = submission::id_from(target.parameter("after"));
        const bool after_reads = target.parameter("after").empty() || query.after;
        if (!limit || !before || !after_reads ||
            !target.takes({"after", "limit", "mailbox", "domain", "state", "before_ms"}))
            co_return wrong_parameter(
                "after=ID, limit=NUMBER, mailbox=ID, domain=NAME, state=WORD, before_ms=UNIX_TIME");
        query.limit = *limit;
        if (*before > 0) query.before = store::Millis(std::chrono::milliseconds(*before));
        auto list = co_await list_submissions(here, std::move(query));
        co_return list;
    }
    const auto id = submission::id_from(target.path[2]);
    if (!id) co_return refusal(404, "a submission's id has 13 letters and digits");
    if (target.path.size() == 3) {
        if (request.method != "GET") co_return wrong_method("GET");
        if (!target.takes({})) co_return wrong_parameter("none");
        auto shown = co_await show_submission(here, *id);
        co_return shown;
    }
    if (target.path.size() != 4) co_return refusal(404, "no such path");
    const std::string& act = target.path[3];
    if (act == "raw") {
        const auto offset = number_in(target, "offset", 0);
        if (request.method != "GET") co_return wrong_method("GET");
        if (!offset || !target.takes({"offset"})) co_return wrong_parameter("offset=BYTES");
        auto piece = co_await read_submission(here, *id, *offset);
        co_return piece;
    }
    const std::map<std::string, Act> acts{
        {"hold", Act::hold}, {"release", Act::release}, {"retry", Act::retry}, {"cancel", Act::cancel}};
    const auto wanted = acts.find(act);
    if (wanted == acts.end()) co_return refusal(404, "no such path");
    if (request.method != "POST") co_return wrong_method("POST");
    if (!target.takes({})) co_return wrong_parameter("none");
    auto changed = co_await change_submission(here, *id, wanted->second);
    co_return changed;
}

awaitable<Response> intake(Surroundings& here, const Request& request, const Target& target) {
    if (target.path.size() == 2) {
        if (request.method != "GET") co_return wrong_method("GET");
        if (!target.takes({})) co_return wrong_parameter("none");
        auto shown = co_await show_intake(here);
        co_return shown;
    }
    const std::string& act = target.path[2];
    if (target.path.size() != 3 || (act != "close" && act != "open")) co_return refusal(404, "no such path");
    if (request.method != "POST") co_return wrong_method("POST");
    if (!target.takes({"reason"})) co_return wrong_parameter("reason=TEXT");
    auto reason = reason_of(target, act == "open", "closed by an operator");
    auto done = co_await close_intake(here, std::move(reason));
    co_return done;
}

awaitable<Response> senders(Surroundings& here, const Request& request, const Target& target) {
    if (target.path.size() == 2) {
        if (request.method != "GET") co_return wrong_method("GET");
        if (!target.takes({})) co_return wrong_parameter("none");
        auto list = co_await list_senders(here);
        co_return list;
    }
    if (target.path.size() != 4) co_return refusal(404, "no such path");
    const std::string& act = target.path[3];
    if (act != "suspend" && act != "resume") co_return refusal(404, "no such path");
    if (request.method != "POST") co_return wrong_method("POST");
    if (!target.takes({"reason"})) co_return wrong_parameter("reason=TEXT");
    auto reason = reason_of(target, act == "resume", "suspended by an operator");
    auto done = co_await suspend_sender(here, target.path[2], std::move(reason));
    co_return done;
}

awaitable<Response> removal(Surroundings& here, const Request& request, const Target& target, Thing thing) {
    if (target.path.size() != 3) co_return refusal(404, "no such path");
    if (request.method != "DELETE") co_return wrong_method("DELETE");
    if (!target.takes({})) co_return wrong_parameter("none");
    auto removed = co_await remove_thing(here, thing, target.path[2]);
    co_return removed;
}

awaitable<Response> events(Surroundings& here, const Request& request, const Target& target) {
    if (target.path.size() != 2) co_return refusal(404, "no such path");
    if (request.method != "GET") co_return wrong_method("GET");
    const auto after = number_in(target, "after", 0);
    const auto limit = number_in(target, "limit", 100);
    if (!after || *after > INT64_MAX || !limit || !target.takes({"after", "limit"}))
        co_return wrong_parameter("after=NUMBER, limit=NUMBER");
    auto list = co_await list_events(here, static_cast<std::int64_t>(*after), *limit);
    co_return list;
}

}  // namespace

awaitable<Response> handle(Surroundings& here, Request request) {
    const auto target = parsed(request.target);
    if (!target) co_return refusal(400, "the target is not a path with parameters, each once");
    if (target->path.empty()) co_return refusal(404, "no such path");
    const auto& path = target->path;
    if (path.size() == 1 && (path[0] == "healthz" || path[0] == "readyz" || path[0] == "metrics")) {
        if (request.method != "GET") co_return wrong_method("GET");
        co_return probe(here, path[0]);
    }
    if (path.size() == 2 && path[0] == "v1" && path[1] == "openapi.json") {
        if (request.method != "GET") co_return wrong_method("GET");
        Response response;
        response.body = openapi();
        co_return response;
    }
    const std::string area = path[0] == "v1" && path.size() > 1 ? path[1] : std::string();
    if (here.live != nullptr) co_await here.live->started();
    if (area == "mailboxes") {
        auto response = co_await mailboxes(here, request, *target);
        co_return response;
    }
    if (area == "inbox") {
        auto response = co_await inbox(here, request, *target);
        co_return response;
    }
    if (area == "messages") {
        auto response = co_await messages(here, request, *target);
        co_return response;
    }
    if (area == "submissions") {
        auto response = co_await submissions(here, request, *target);
        co_return response;
    }
    if (area == "events") {
        auto response = co_await events(here, request, *target);
        co_return response;
    }
    if (area == "senders") {
        auto response = co_await senders(here, request, *target);
        co_return response;
    }
    if (area == "intake") {
        auto response = co_await intake(here, request, *target);
        co_return response;
    }
    if (area == "alarms" && path.size() == 2) {
        if (request.method != "GET") co_return wrong_method("GET");
        if (!target->takes({})) co_return wrong_parameter("none");
        auto response = co_await list_alarms(here);
        co_return response;
    }
    if (area == "credentials") {
        auto response = co_await credentials(here, request, *target);
        co_return response;
    }
    if (const auto thing = thing_of(area); thing && area.ends_with('s')) {
        auto response = co_await removal(here, request, *target, *thing);
        co_return response;
    }
    if (area == "checks") {
        auto response = co_await checks(here, request, *target);
        co_return response;
    }
    if (area == "sign-ins") {
        auto response = co_await sign_ins(here, request, *target);
        co_return response;
    }
    if (path.size() != 2 || (area != "configuration" && area != "status" && area != "api-token")) {
        co_return refusal(404, "no such path");
    }
    if (area == "configuration") {
        auto response = co_await configuration(here, request, *target);
        co_return response;
    }
    if (!target->takes({})) co_return wrong_parameter("none");
    if (area == "api-token") {
        if (request.method != "POST") co_return wrong_method("POST");
        auto renewed = co_await renew_api_token(here);
        co_return renewed;
    }
    if (request.method != "GET") co_return wrong_method("GET");
    auto response = co_await status(here);
    co_return response;
}

}  // namespace control
