#include "engine/consumers/mail_event.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <utility>

#include "engine/consumers/message_id.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/base/utf8.hpp"
#include "protocols/mime/field.hpp"
#include "protocols/mime/headers.hpp"

namespace consumers {
namespace {

constexpr std::size_t header_value_bytes_max = 4096;

boost::json::object headers_of(std::string_view bytes) {
    constexpr std::pair<std::string_view, std::string_view> wanted[] = {{"message_id", "Message-ID"},
                                                                        {"date", "Date"},
                                                                        {"from", "From"},
                                                                        {"to", "To"},
                                                                        {"cc", "Cc"},
                                                                        {"reply_to", "Reply-To"},
                                                                        {"subject", "Subject"},
                                                                        {"in_reply_to", "In-Reply-To"},
                                                                        {"references", "References"}};
    boost::json::object headers;
    for (const auto& [key, name] : wanted) {
        const auto value = mime::field_of(bytes, name);
        if (!value.empty()) headers[key] = header_text(value);
    }
    return headers;
}

}  // namespace

std::string time_text(store::Millis time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                       (time.time_since_epoch() - seconds).count());
}

std::string header_text(std::string_view value) {
    constexpr std::string_view replacement = "\xef\xbf\xbd";
    const auto line = mime::unfolded(value.substr(0, header_value_bytes_max));
    std::string text;
    text.reserve(line.size());
    for (std::string_view rest = line; !rest.empty();) {
        const auto point = text::first_code_point(rest);
        const auto bytes = point ? point->bytes : 1;
        text +=
            point && (point->value == '\t' || text::is_printable(point->value)) ? rest.substr(0, bytes) : replacement;
        rest.remove_prefix(bytes);
    }
    return text;
}

std::string MailEvent::document() const {
    const auto& record = mail.record;
    const auto id = text_of(record.id);
    const auto received_at = time_text(record.received_at);
    boost::json::object data{{"id", id},
                             {"mailbox", mail.mailbox},
                             {"address", mail.address},
                             {"folder", header_text(mail.folder)},
                             {"seq", record.seq},
                             {"received_at", received_at},
                             {"internal_date", time_text(record.internal_date)},
                             {"bytes", record.body.length},
                             {"possible_repeat", mail.possible_repeat},
                             {"headers", headers_of(bytes)}};
    const bool whole = bytes.size() == record.body.length;
    if (whole) {
        data["raw"] = base64_encoded(bytes);
    } else {
        data["raw_url"] = fmt::format("/v1/messages/{}/raw", id);
        data["mail_url"] = fmt::format("/v1/messages/{}", id);
    }
    if (whole && view) {
        auto seen = view(bytes);
        if (!seen.empty()) data["mail"] = std::move(seen);
    }
    const boost::json::object event{{"specversion", "1.0"},
                                    {"id", id},
                                    {"source", source},
                                    {"type", mail_event_type},
                                    {"subject", mail.mailbox},
                                    {"time", received_at},
                                    {"datacontenttype", "application/json"},
                                    {"data", std::move(data)}};
    return boost::json::serialize(event);
}

}  // namespace consumers
