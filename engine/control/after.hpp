#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"
#include "queue/store/folder_notes.hpp"

namespace control {

/// {"id", "after", "done_as", "folders": [{"name", "done_through", "due", "waiting", "parked", "attempts",
/// "next_attempt", "mails": [{"id", "seq", "uid", "received_at", "waits"}]}], "more"}: what is to be done at the server
/// with mail that was taken in, and what each still waits for; "waits" is missing where it is due. At most `limit`
/// mails are told. With `policy` not empty: what that policy would do instead of the mailbox's own; 422 when it is
/// none.
awaitable<Response> show_after(Surroundings& here, std::string id, std::string policy, std::size_t limit);

/// A folder's part of that for mailbox show: {"done_through", "parked", "attempts", "next_attempt"}.
boost::json::object to_json(const store::AfterState& state);

}  // namespace control
