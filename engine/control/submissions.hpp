#pragma once

#include <optional>
#include <string>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "engine/submission/acceptance.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// 202 with {"id", "mailbox", "state"} once it is durable; 200 with the same for a key that is known. 422 for a message
/// that is not taken, 403 for a sender that no mailbox may send from.
awaitable<Response> submit(Surroundings& here, submission::Order order);

/// The same of a mail that comes as JSON (order_of_letter). 422 with {"detail", "faults": [{"path", "what"}],
/// "left_out"} when its document is wrong: paths are JSON pointers.
awaitable<Response> submit_letter(Surroundings& here, std::string document);

struct SubmissionQuery {
    std::optional<store::SubmissionId> after;
    std::size_t limit = 100;
    std::string mailbox;                  // empty: all
    std::string domain;                   // of a recipient; empty: any
    std::string state;                    // empty: those that wait ("all": settled ones as well)
    std::optional<store::Millis> before;  // accepted earlier than that
};
/// {"submissions": […], "next": id}: in order of acceptance.
awaitable<Response> list_submissions(Surroundings& here, SubmissionQuery query);
awaitable<Response> show_submission(Surroundings& here, store::SubmissionId id);
/// Up to body_chunk_bytes_max bytes of the message from `offset` on; nothing at its end. 410: it is no longer kept.
awaitable<Response> read_submission(Surroundings& here, store::SubmissionId id, std::uint64_t offset);
/// hold: nothing is sent until release. release: it takes its turn again, whatever held it. retry: it is due now.
/// cancel: it is never sent. 409 while it is being sent, and once it is settled.
enum class Act { hold, release, retry, cancel };
awaitable<Response> change_submission(Surroundings& here, store::SubmissionId id, Act act);

/// {"senders": […], "totals": {…}}: what each mailbox that sends is doing.
awaitable<Response> list_senders(Surroundings& here);

}  // namespace control
