#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

/// What a client without ledger, tokens or hand-off fetches mail with.
enum class BareFetch { imap, pop3 };

/// Fetches the INBOX of a user with a password, over one blocking TLS connection to that port of loopback, and throws
/// it away: POP3 with RETR for so many messages, all in flight; IMAP in one UID FETCH. Processor time a message, in
/// microseconds, without the handshake: what nobody can go below. Throws std::runtime_error.
double fetch_bare(BareFetch how, std::uint16_t port, const std::string& user, const std::string& password,
                  std::size_t messages);

}  // namespace bench
