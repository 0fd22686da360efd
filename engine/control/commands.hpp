#pragma once

#include <cstdint>
#include <string>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

inline constexpr std::size_t page_rows_max = 1000;
inline constexpr std::size_t body_chunk_bytes_max = 256 * 1024;

// Each command answers with one JSON document, refusals with {"detail": sentence} (RFC 9457). The caller awaits on the
// spot.

/// The document as config::with_secrets writes it: no files, no variables. 200 with what changed, or 422 with
/// {"detail", "faults": [{"path", "what"}], "left_out"}; then nothing was imported.
awaitable<Response> import_document(Surroundings& here, std::string text);
/// With `open`, the values of the secrets are in it, and each credential's refresh token is the one that works now.
enum class Secrets { sealed, open };
awaitable<Response> export_document(Surroundings& here, Secrets secrets);

/// {"mailboxes": […], "next": id}: in order of id after `after`; "next" when there are more.
awaitable<Response> list_mailboxes(Surroundings& here, std::string after, std::size_t limit);
/// The same of those that a running daemon has in that state: "needs help", "waiting", …
awaitable<Response> list_mailboxes_in(Surroundings& here, std::string state, std::string after, std::size_t limit);
/// One mailbox with its configuration, folders, pending messages and hand-off.
awaitable<Response> show_mailbox(Surroundings& here, std::string id);
/// An empty reason resumes.
awaitable<Response> pause_mailbox(Surroundings& here, std::string id, std::string reason);
/// The daemon compares the mailbox with its server as soon as it can: 202 with {"id", "asked_at"}; what it finds is
/// shown by show_mailbox(). 409: it is paused or not served, 503: no daemon runs.
awaitable<Response> audit_mailbox(Surroundings& here, std::string id);
/// No longer served; its ledger stays, and comes back with an import of the same id.
awaitable<Response> remove_mailbox(Surroundings& here, std::string id);

/// Which of a pull consumer's messages. An empty mailbox means all of them.
struct InboxQuery {
    std::string consumer;
    std::string mailbox;
    std::size_t limit = 100;
};
/// {"messages": […]}: unacknowledged ones, each mailbox in order.
awaitable<Response> list_inbox(Surroundings& here, InboxQuery query);
/// The message that was received first of the oldest unacknowledged ones of each mailbox (of the first
/// mailboxes_compared mailboxes with something waiting); 204 when there is none.
awaitable<Response> next_message(Surroundings& here, InboxQuery query);
inline constexpr std::size_t mailboxes_compared = 32;
/// Up to body_chunk_bytes_max bytes of a message's raw form from `offset` on; nothing at its end.
awaitable<Response> read_message(Surroundings& here, std::string id, std::uint64_t offset);

/// `only`: the message must be the oldest unacknowledged one of its mailbox, else 409. `through`: all before it as
/// well. A message that is acknowledged already stays so: 200.
enum class Reach { only, through };
awaitable<Response> acknowledge(Surroundings& here, std::string consumer, std::string id, Reach reach);

/// Totals of the store, the committer and, in a daemon, its sessions.
awaitable<Response> status(Surroundings& here);

}  // namespace control
