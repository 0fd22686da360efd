#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/secret.hpp"
#include "protocols/net/stream.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/smtp/capabilities.hpp"
#include "protocols/smtp/envelope.hpp"
#include "protocols/smtp/errc.hpp"
#include "protocols/smtp/reply.hpp"

namespace smtp {

/// The bytes of a mail, in canonical form: lines end with CRLF, the last one, too, and nothing else is a CR or LF
/// (unless the envelope says BodyKind::binary).
class Body {
public:
    virtual ~Body() = default;
    [[nodiscard]] virtual std::uint64_t size_bytes() const noexcept = 0;
    /// The next bytes, which live until the next call; empty: that was all. An error ends the connection, because the
    /// server must not take what it has for the whole.
    virtual awaitable<Result<std::string_view>> next() = 0;
};

struct Limits {
    ReplyLimits reply{};
    std::size_t recipients_in_flight_max = 100;        // RCPT commands sent before their replies are read
    std::uint64_t one_flight_bytes_max = 1024 * 1024;  // larger bodies wait for the replies to MAIL and RCPT
    std::uint64_t chunk_bytes_max = 1024 * 1024;       // of BDAT, when the body is larger than that
};

/// RFC 5321 §4.5.3.2; the body has to move.
struct Paces {
    net::Pace greeting{std::chrono::minutes(5)};
    net::Pace command{std::chrono::minutes(5)};
    net::Pace data{std::chrono::minutes(2)};  // until 354
    net::Pace body{std::chrono::minutes(3), 256};
    net::Pace final_reply{std::chrono::minutes(10)};
    net::Pace quit{std::chrono::seconds(10)};
};

enum class Mechanism { xoauth2, oauthbearer, plain, login };

struct Login {
    Mechanism mechanism = Mechanism::xoauth2;
    std::string user;
    Secret secret;     // access token or password
    std::string host;  // of this connection, for OAUTHBEARER
    std::uint16_t port = 0;
};

struct LoginAnswer {
    Reply reply{};
    std::string challenge{};  // what the server said about a refused token before (JSON, sanitised); may be empty
};

/// How far the dialogue has come. From `mail` on it is about one mail, and starts over with each submit(). Read it
/// after an error, or better in_doubt().
enum class Phase {
    greeting,      // nothing was said yet
    hello,         // greeted, in the clear
    tls,           // STARTTLS was asked for, or TLS is up
    authed,        // logged in
    mail,          // MAIL was sent, or is about to be
    rcpt,          // RCPT was
    body_started,  // bytes of the body may have been sent
    final_sent,    // the last byte of the mail was sent, and its reply did not come
    replied,       // everything that was sent is answered
};
std::string_view words_of(Phase phase) noexcept;

/// What became of a mail: each reply as it came.
struct Submission {
    std::optional<Obstacle> obstacle{};  // nothing was sent
    Reply sender{};                      // to MAIL
    std::vector<Reply> recipients{};     // to RCPT, in the envelope's order; Reply::came() is false: not asked
    /// To the last byte; to DATA, when that was refused; or what came early. Did not come: no recipient was accepted.
    /// LMTP: of the replies to the last byte the first that accepts, or else the first.
    Reply body{};
    /// LMTP: to the last byte, for each recipient that was accepted, in the envelope's order; empty: there were none.
    std::vector<Reply> deliveries{};

    /// The sender was refused, or every recipient.
    [[nodiscard]] bool refused_before_body() const noexcept;
    [[nodiscard]] bool delivered_to(std::size_t recipient) const noexcept;
    /// The reply that decides about a recipient: sender's, its own, or the body's.
    [[nodiscard]] const Reply& verdict_for(std::size_t recipient) const noexcept;
};

/// One SMTP or LMTP connection's dialogue as a client. RFC 5321, 2033, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 7628.
/// Used by one coroutine on one shard. Errors (net::errc, smtp::errc) end the connection, but for those about our own
/// arguments, where nothing is sent; refusals come back as replies. After 421 the connection is not usable either.
class Client {
public:
    Client(net::Stream& stream, Limits limits, Paces paces);
    ~Client();

    /// 220, or a refusal.
    awaitable<Result<Reply>> greet();
    enum class Dialect {
        extended,            // EHLO alone
        basic_when_refused,  // or HELO when EHLO is refused for good
        lmtp,                // LHLO; mails are answered for each recipient. RFC 2033
    };
    /// `name` is ours: a domain or an address literal. Learns what is offered. Errors: bad_name.
    awaitable<Result<Reply>> hello(std::string name, Dialect dialect = Dialect::extended);
    /// STARTTLS and the handshake. What was learned is forgotten: hello() comes next. RFC 3207. The host is verified.
    /// Errors: tls_not_offered, net::errc::bytes_before_tls.
    awaitable<Result<Reply>> start_tls(const net::TlsClient& tls, std::string host);
    /// Answers the error challenge of both OAuth mechanisms. Never another mechanism than asked for, never in the
    /// clear. Errors: tls_required, mechanism_not_offered, bad_login, login_too_long.
    awaitable<Result<LoginAnswer>> log_in(Login login);
    [[nodiscard]] const Capabilities& capabilities() const noexcept;

    /// Hands one mail over: in one flight with PIPELINING and CHUNKING, in two with PIPELINING, else step by step. What
    /// the server lacks for it is an obstacle; DSN parameters that it does not know are left out. Whatever a refusal
    /// left behind is cleared (RSET) together with the next mail. Errors: no_recipients, bad_envelope_id,
    /// bad_original_recipient; body_not_canonical, body_size_wrong.
    awaitable<Result<Submission>> submit(const Envelope& envelope, Body& body);

    awaitable<Result<Reply>> reset();  // RSET
    awaitable<Result<Reply>> noop();
    awaitable<Result<void>> quit();
    /// Whether a connection that rested is still good. Never waits. Errors: goodbye, unexpected_reply, net::errc.
    awaitable<Result<void>> check_idle();

    [[nodiscard]] Phase phase() const noexcept;
    /// After an error in submit(): the server may have taken the mail. False when it had refused the sender or all
    /// recipients before.
    [[nodiscard]] bool in_doubt() const noexcept;
    /// Of the last submit(), as far as it came: also after an error.
    [[nodiscard]] const Submission& submission() const noexcept;
    /// Further commands make sense. False after an error, after 421, and after a reply came early.
    [[nodiscard]] bool usable() const noexcept;
    /// 421 that came unasked.
    [[nodiscard]] const Reply& farewell() const noexcept;
    /// The last lines of the dialogue, secrets redacted, for messages to people.
    [[nodiscard]] std::vector<std::string> last_lines() const;

private:
    struct Impl;
    class Handover;
    std::unique_ptr<Impl> impl_;
};

}  // namespace smtp
