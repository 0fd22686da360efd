#pragma once

#include <memory>
#include <optional>

#include "engine/config/model.hpp"
#include "engine/retriever/verdict.hpp"
#include "engine/tokens/token_client.hpp"
#include "protocols/imap/client.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/net/tls.hpp"

namespace retriever {

/// A provider as sessions use it, shared by all its mailboxes.
struct Place {
    config::Provider provider;
    std::shared_ptr<const net::TlsClient> tls;
};

/// What a session begins with.
struct Begun {
    std::unique_ptr<net::Stream> stream;
    tokens::SharedSecret secret;  // until the log-in
    std::uint64_t generation = 0;
};

/// A token and a connection to that host of the place.
awaitable<std::optional<Ended>> reach(Seams& seams, tokens::TokenClient& tokens, const config::Mailbox& mailbox,
                                      const Place& place, const config::Host& host, Begun& begun);

/// Reads the greeting of an IMAP server, and what it can do.
awaitable<std::optional<Ended>> greet(imap::Client& client);
/// Logs in as the mailbox's user, by the mechanism that server and credential have in common.
awaitable<Result<imap::Answer>> log_in(imap::Client& client, const config::Mailbox& mailbox, const Place& place,
                                       bool password, Begun& begun);
/// Tells the server who we are, where it asks. RFC 2971.
awaitable<std::optional<Ended>> tell_who(imap::Client& client);

}  // namespace retriever
