#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocols/base/secret.hpp"
#include "protocols/imap/client.hpp"
#include "protocols/net/stream.hpp"
#include "protocols/pop3/errc.hpp"
#include "protocols/pop3/types.hpp"

namespace net {
class TlsClient;
}

namespace pop3 {

using imap::FetchSink;
using imap::Paces;

enum class Mechanism { xoauth2, oauthbearer, plain, user_pass };

/// Where the secret of a SASL log-in goes.
enum class Initial {
    own_line,      // behind the server's "+ ": Exchange ends the connection over a long line with AUTH (2026-11)
    with_command,  // on the line of AUTH: a round trip less, where a provider takes it
};

struct Login {
    Mechanism mechanism = Mechanism::xoauth2;
    std::string user;
    Secret secret;     // access token or password
    std::string host;  // of this connection, for OAUTHBEARER
    std::uint16_t port = 0;
    Initial initial = Initial::own_line;
};

/// One POP3 connection's dialogue. RFC 1939, 2449, 2595, 3206, 5034, 6856. Used by one coroutine on one shard. Errors
/// (net::errc, pop3::errc) end the connection; refusals come back as Answer.
class Client {
public:
    Client(net::Stream& stream, Limits limits, Paces paces);
    ~Client();

    /// Errors: malformed_greeting.
    awaitable<Result<Answer>> greet();
    /// CAPA. A server that refuses it offers what RFC 1939 has, and known is false.
    awaitable<Result<Answer>> learn_capabilities();
    [[nodiscard]] const Capabilities& capabilities() const noexcept;
    /// STLS and the handshake. What was learned is forgotten. RFC 2595 §4. Errors: tls_not_offered (under TLS it never
    /// is), net::errc::bytes_before_tls (what came in the clear behind the answer is never read as the server's word).
    awaitable<Result<Answer>> start_tls(const net::TlsClient& tls, std::string host);
    /// Answers the error challenge of both OAuth mechanisms. Learns capabilities anew. Never another mechanism than
    /// asked for, never in the clear. Errors: tls_required, mechanism_not_offered, bad_argument.
    awaitable<Result<Answer>> log_in(Login login);

    struct Stat {
        Answer answer;
        Counted counted;
    };
    awaitable<Result<Stat>> stat();
    struct Listed {
        Answer answer;
        std::vector<ListEntry> entries;  // in rising order of number
    };
    /// Errors: malformed_listing, too_many_lines.
    awaitable<Result<Listed>> list();
    struct Identified {
        Answer answer;
        std::vector<UidlEntry> entries;  // in rising order of number
    };
    /// Errors: malformed_listing, too_many_lines.
    awaitable<Result<Identified>> uidl();

    enum class Part { whole, head };  // RETR; TOP n 0
    struct Refused {
        Number number = 0;
        Answer answer;
    };
    /// Passes each message to `sink` with its number as uid and sequence, and the size of `wanted` (a hint) as the
    /// bytes that will come; in this order. Pipelined where the server announces it.
    awaitable<Result<std::vector<Refused>>> fetch(std::vector<ListEntry> wanted, Part part, FetchSink& sink);
    /// After an error in fetch(): the message whose answer was being read.
    [[nodiscard]] std::optional<Number> unfinished() const noexcept;

    /// DELE. Nothing is gone before quit() was accepted.
    awaitable<Result<std::vector<Refused>>> remove(std::vector<Number> numbers);
    awaitable<Result<Answer>> reset();  // RSET
    awaitable<Result<Answer>> noop();
    /// The commit point: with +OK all that was removed is gone. -ERR: some of it may be left.
    awaitable<Result<Answer>> quit();

    /// The last lines of the dialogue, secrets redacted, for messages to people.
    [[nodiscard]] std::vector<std::string> last_lines() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pop3
