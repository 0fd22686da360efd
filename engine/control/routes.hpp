#pragma once

#include "engine/control/commands.hpp"

namespace control {

/// Answers one call, of the control socket, the API or a command line without daemon:
///   GET /healthz /readyz /metrics
///   GET /v1/status
///   GET /v1/configuration   PUT /v1/configuration (an import document: merged)
///   GET /v1/mailboxes?after=&limit=&state=   GET|DELETE /v1/mailboxes/{id}   POST /v1/mailboxes/{id}/pause?reason=
///   |…/resume GET /v1/mailboxes/{id}/shadow?since=&until=&after=&limit= (POST: with a list) GET
///   /v1/inbox?consumer=&mailbox=&limit=   GET /v1/inbox/quarantine?consumer=&mailbox=&after=&limit=
///   POST /v1/inbox/quarantine/{id}/retry|drop?consumer=   POST /v1/mailboxes/{id}/replay?from=
///   GET /v1/inbox/next?consumer=&mailbox= GET /v1/messages/{id}/raw?offset= POST
///   /v1/messages/{id}/acknowledge?consumer=&through=yes GET /v1/credentials?after=&limit=   GET /v1/credentials/{id}
///   POST /v1/credentials/{id}/authorize?by=browser|device&browser=   GET /v1/sign-ins/{id} POST
///   /v1/sign-ins/finish?browser= (the address that a browser showed in the end) POST /v1/api-token (the control socket
///   alone)
///   GET /v1/submissions?after=&limit=&mailbox=&domain=&state=&before_ms=   POST
///   /v1/submissions?from=&to=&to_headers=yes &key=&lane=&not_before_ms=&life_s= (a message)   GET /v1/submissions/{id}
///   GET …/{id}/raw?offset= POST …/{id}/hold|release|retry|cancel   GET /v1/events?after=&limit=   GET /v1/senders
///   POST /v1/senders/{mailbox}/suspend?reason=|resume   GET /v1/intake   POST /v1/intake/close?reason=|open
///   DELETE /v1/providers|credentials|consumers|webhooks|alarms/{id}
/// Unknown paths get 404, unknown methods 405, unknown or malformed parameters 400.
awaitable<Response> handle(Surroundings& here, Request request);

}  // namespace control
