#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"
#include "queue/store/folder_notes.hpp"

namespace control {

/// Mail from `from` (YYYY-MM-DD) on that is not in the ledger is fetched as well, beside what arrives, from each folder
/// of the mailbox, or from `folder` alone. Durable; a daemon begins at once, otherwise the next one. Another call
/// begins anew. {"id", "from", "folders"}. 404: no such mailbox or folder; 422: no day, or nothing to fetch from.
awaitable<Response> backfill_mailbox(Surroundings& here, std::string id, std::string from, std::string folder);
/// Ends those that run; what was fetched stays. {"id", "cancelled": number of folders}
awaitable<Response> cancel_backfill(Surroundings& here, std::string id);

/// For mailbox show.
boost::json::object to_json(const store::Backfill& backfill);
boost::json::object to_json(const store::FirstContact& contact);

}  // namespace control
