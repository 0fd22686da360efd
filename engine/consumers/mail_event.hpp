#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "engine/consumers/consumer.hpp"

namespace consumers {

/// A view of a whole mail as JSON, for data.mail of its event. May not throw; an empty object is left out.
using MailView = std::function<boost::json::object(std::string_view mail)>;

inline constexpr std::string_view mail_event_type = "message.received";

/// A mail as a CloudEvents 1.0 JSON document. `bytes` is the mail whole, or the front of one that is too large for a
/// document: then data.raw_url and data.mail_url say where in the API the rest, and the view of it, are to be had.
struct MailEvent {
    const Mail& mail;
    std::string_view bytes;
    std::string_view source;  // who speaks
    const MailView& view;
    [[nodiscard]] std::string document() const;
};

/// "2026-11-28T05:33:27.123Z". RFC 3339.
std::string time_text(store::Millis time);

/// Header text as it may stand in JSON: on one line, and what is no UTF-8 or a control character replaced.
std::string header_text(std::string_view value);

}  // namespace consumers
