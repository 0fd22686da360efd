#include "engine/control/json.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "engine/config/documents.hpp"
#include "engine/config/words.hpp"
#include "engine/control/shadow.hpp"
#include "protocols/base/text.hpp"

namespace control {

std::string time_text(WallTime time) {
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(millis);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                       (millis - seconds).count());
}

Response faulty(std::string_view sentence, const config::Faults& faults) {
    boost::json::array list;
    for (const auto& fault : faults.list())
        list.push_back(boost::json::object{{"path", fault.path}, {"what", fault.what}});
    return refusal(422, sentence, {{"faults", std::move(list)}, {"left_out", faults.left_out()}});
}

std::string id_text(const store::Digest& id) {
    std::string text;
    for (const unsigned char byte : id) text += fmt::format("{:02x}", byte);
    return text;
}

std::optional<store::Digest> id_of(std::string_view text) {
    store::Digest id{};
    if (text.size() != 2 * id.size()) return std::nullopt;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const std::string_view digits = text.substr(2 * i, 2);
        const auto read = std::from_chars(digits.data(), digits.data() + 2, id[i], 16);
        if (read.ec != std::errc{} || read.ptr != digits.data() + 2) return std::nullopt;
    }
    return id;
}

boost::json::object to_json(const store::Message& message, std::string_view mailbox) {
    return {{"id", id_text(message.id)},
            {"mailbox", mailbox},
            {"seq", message.seq},
            {"received_at", time_text(message.received_at)},
            {"bytes", message.body.length}};
}

boost::json::object to_json(const Live::Expiring& expiring) {
    return {{"credential", expiring.credential},
            {"what", expiring.what},
            {"ends_at", time_text(expiring.at)},
            {"days_left", expiring.days_left},
            {"remedy", expiring.remedy}};
}

boost::json::object to_json(const runtime::Audit& audit) {
    boost::json::array folders;
    for (const auto& folder : audit.folders) {
        boost::json::object object{
            {"folder", folder.folder},           {"on_server", folder.on_server}, {"delivered", folder.delivered},
            {"undelivered", folder.undelivered}, {"pending", folder.pending},     {"before_start", folder.before_start},
            {"unknown", folder.unknown},         {"awaited", folder.awaited},     {"gone", folder.gone}};
        if (!folder.not_compared.empty()) object["not_compared"] = folder.not_compared;
        folders.push_back(std::move(object));
    }
    return {{"at", time_text(audit.at)},
            {"unknown", audit.unknown()},
            {"found", audit.found},
            {"set_aside", audit.set_aside},
            {"folders", std::move(folders)}};
}

boost::json::object to_json(const store::Mailbox& row, const Live* live) {
    boost::json::object object{{"id", row.id}};
    if (const auto mailbox = config::from_document<config::Mailbox>(row.document)) {
        object["address"] = mailbox->address;
        object["credential"] = mailbox->credential;
        object["protocol"] = config::word_of(config::protocol_words, mailbox->protocol);
        object["consumer"] = mailbox->consumer;
        if (mailbox->shadow) object["shadow"] = to_json(*mailbox->shadow);
    } else {
        object["problem"] = mailbox.error().message();
    }
    object["messages"] = row.last_seq;
    if (!row.paused.empty()) object["paused"] = row.paused;
    if (live == nullptr) return object;
    const auto state = live->mailbox(row.id);
    object["state"] = state ? state->state : "not served";
    if (state && !state->reason.empty()) object["reason"] = state->reason;
    if (state && state->next_attempt) object["next_attempt"] = time_text(*state->next_attempt);
    if (state && state->last_proof) object["last_proof"] = time_text(*state->last_proof);
    auto* shadow = object.if_contains("shadow");
    if (shadow != nullptr && state && state->shadow_missed) shadow->get_object()["missed"] = *state->shadow_missed;
    if (state && state->audit) object["audited"] = time_text(state->audit->at);
    if (state && state->audit) object["unaccounted"] = state->audit->unknown();
    return object;
}

}  // namespace control
