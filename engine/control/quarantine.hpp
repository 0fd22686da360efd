#pragma once

#include <string>

#include "engine/control/commands.hpp"

namespace control {

/// Which of the mails that consumers set aside. An empty consumer or mailbox means all of them.
struct QuarantineQuery {
    std::string consumer;
    std::string mailbox;
    std::string after;  // "next" of the page before
    std::size_t limit = 100;
};
/// {"messages": [{"consumer", "mailbox", "seq", "id", "bytes", "received_at", "at", "reason"}], "next"}: in order of
/// consumer, mailbox and seq; "next" when there are more.
awaitable<Response> list_quarantine(Surroundings& here, QuarantineQuery query);
/// It is handed off again, out of order, and set aside no more once it is taken: 202. An empty consumer means all that
/// set it aside. 404: nobody did; 409: nothing is handed off to that consumer; 503: no daemon runs.
awaitable<Response> retry_quarantined(Surroundings& here, std::string consumer, std::string id);
/// It is not set aside any more, and counts as acknowledged: 200. 404: nobody set it aside.
awaitable<Response> drop_quarantined(Surroundings& here, std::string consumer, std::string id);

/// The mailbox's consumer gets its mail from `from` (a seq) on again, as possible repeats; nothing happens at the
/// mail server. {"mailbox", "consumer", "from", "last_seq"}: "from" is higher than asked for when bodies are gone.
awaitable<Response> replay_mailbox(Surroundings& here, std::string mailbox, std::int64_t from);

}  // namespace control
