#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "engine/config/model.hpp"
#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"
#include "queue/store/shadows.hpp"

namespace control {

struct ShadowQuery {
    std::string mailbox;
    std::string since;  // a day or a time; empty: all that was observed
    std::string until;  // the same, of the list: when it was made; empty: now
    std::size_t after = 0;
    std::size_t limit = 100;
    std::optional<std::string> list;  // what the other product delivered: retriever::read_shadow_list
};
/// What another product missed, doubled or took late: {"mailbox", "by": "server" or "list", "from", "until",
/// "observed", "taken", "late", "missed", …, "rows": […], "next": number}. 404: no such shadow mailbox, 400: the list
/// or a time cannot be read, 503: nothing was observed so far.
awaitable<Response> show_shadow(Surroundings& here, ShadowQuery query);

/// {"taken", "grace"}
boost::json::object to_json(const config::Shadow& shadow);
/// {"since", "looked_at"}
boost::json::object to_json(const store::ShadowFolder& folder);

}  // namespace control
