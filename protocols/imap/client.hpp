#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocols/base/secret.hpp"
#include "protocols/imap/errc.hpp"
#include "protocols/imap/types.hpp"
#include "protocols/net/stream.hpp"

namespace imap {

/// Where the bodies of FETCH answers go. Called on the session's coroutine; sink methods do not wait, so that the
/// common case costs no coroutine: they answer Flow::wait to have room() awaited before the next byte is read.
class FetchSink {
public:
    enum class Flow { go_on, wait };
    virtual ~FetchSink() = default;
    /// A body begins. `known` is what this response said before it (uid may still be 0: then fetched() tells it).
    virtual Flow body_begins(const FetchItem& known, std::uint64_t bytes) = 0;
    virtual Flow body_bytes(std::string_view chunk) = 0;
    /// A response about a UID that was asked for, and not answered with a body before, is complete; item.has_body
    /// tells whether a body came with it. About other UIDs nothing is told.
    virtual Flow fetched(const FetchItem& item) = 0;
    /// A body broke off (connection lost, limit, cancelled), or turned out to be of a UID that was not asked for: what
    /// was begun will not be completed.
    virtual void body_broken() noexcept = 0;
    virtual awaitable<Result<void>> room() = 0;
};

struct Paces {
    net::Pace greeting{std::chrono::seconds(60)};
    net::Pace command{std::chrono::seconds(60)};
    net::Pace body{std::chrono::seconds(60), 256};  // bytes keep it alive
};

enum class Mechanism { xoauth2, oauthbearer, plain, login };

struct Login {
    Mechanism mechanism = Mechanism::xoauth2;
    std::string user;
    Secret secret;     // access token or password
    std::string host;  // of this connection, for OAUTHBEARER
    std::uint16_t port = 0;
};

/// One IMAP connection's dialogue. RFC 9051, 3501, 2177, 4959, 7628, 7888, 6855, 5256. Used by one coroutine on one
/// shard. Errors (net::errc, imap::errc) end the connection; refusals come back as Answer.
class Client {
public:
    Client(net::Stream& stream, Limits limits, Paces paces);
    ~Client();

    /// Reads the greeting. Errors: preauth_refused, bye, malformed.
    awaitable<Result<Answer>> greet();
    /// Asks unless the greeting or login already told.
    awaitable<Result<Answer>> learn_capabilities();
    [[nodiscard]] bool can(std::string_view capability) const;  // "IDLE", "AUTH=XOAUTH2"
    [[nodiscard]] std::vector<std::string> capabilities() const;
    awaitable<Result<Answer>> identify(std::vector<std::pair<std::string, std::string>> fields);  // ID, when offered
    /// With SASL-IR when offered; answers the error challenge of both OAuth mechanisms. Learns capabilities anew; the
    /// answer is that to CAPABILITY when the login went well but that was refused (Exchange: "BAD User is authenticated
    /// but not connected."). Never another mechanism than asked for. Errors: mechanism_not_offered, bad_argument.
    awaitable<Result<Answer>> log_in(Login login);
    awaitable<Result<Answer>> enable_utf8();  // when offered; names are then UTF-8 on the wire
    struct Listed {
        Answer answer;
        std::vector<ListEntry> entries;
    };
    awaitable<Result<Listed>> list(std::string pattern);
    enum class Access { read_only, read_write };  // EXAMINE, SELECT
    struct Opened {
        Answer answer;
        Selected selected;
    };
    awaitable<Result<Opened>> open(std::string folder, Access access);
    /// Kept current by untagged responses since open().
    [[nodiscard]] const Selected& selected() const noexcept;
    /// How often EXISTS has told of more messages on this connection. A server says it once, with whatever command is
    /// running: what it has said since a SEARCH began, that SEARCH may not have found. RFC 9051 §7.4.1.
    [[nodiscard]] std::uint32_t arrivals() const noexcept;
    struct Found {
        Answer answer;
        UidSet uids;
    };
    awaitable<Result<Found>> search(std::string criteria);  // UID SEARCH, ESEARCH understood
    struct Counted {
        Answer answer;
        Selected status;
    };
    awaitable<Result<Counted>> status(std::string folder);  // MESSAGES UIDNEXT UIDVALIDITY

    struct FetchPlan {
        std::uint64_t batch_uids = 64;
        std::size_t batches_in_flight = 3;     // pipelined UID FETCH commands
        std::size_t command_bytes_max = 8000;  // Exchange's line limit
        bool email_ids = false;                // with fetch(), where may_tell_email_ids()
    };
    struct Fetch {
        UidSet unanswered;             // asked for in a batch that was completed, no answer with a body came
        UidSet refused;                // in a batch that ended in NO or BAD and not answered with a body
        UidSet not_asked;              // never sent, because an earlier batch was refused
        std::vector<Answer> refusals;  // one for each batch that was not OK
    };
    /// Fetches UID, FLAGS, INTERNALDATE, RFC822.SIZE and BODY.PEEK[] of each uid. Answers about UIDs that were not
    /// asked for carry no body into the sink. Errors: uids_out_of_order.
    awaitable<Result<Fetch>> fetch(UidSet wanted, FetchPlan plan, FetchSink& sink);
    /// As fetch(), but in place of the bodies only what tells messages apart: UID, FLAGS, INTERNALDATE,
    /// RFC822.SIZE and BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT RECEIVED)].
    awaitable<Result<Fetch>> fetch_heads(UidSet wanted, FetchPlan plan, FetchSink& sink);
    /// The server has ids that messages keep in every folder: Gmail's X-GM-EXT-1, or OBJECTID (RFC 8474).
    [[nodiscard]] bool may_tell_email_ids() const;
    /// As fetch(), without bodies: UID, INTERNALDATE, RFC822.SIZE and the email id. Those that came without one count
    /// as unanswered.
    awaitable<Result<Fetch>> fetch_email_ids(UidSet wanted, FetchPlan plan, FetchSink& sink);
    /// The rest of one body: BODY.PEEK[]<offset.bytes>. The sink sees just those bytes.
    awaitable<Result<Fetch>> fetch_part(Uid uid, std::uint64_t offset, std::uint64_t bytes, FetchSink& sink);

    // What changes a folder that was opened read_write.
    awaitable<Result<Answer>> add_flags(UidSet uids, std::string flags);  // UID STORE +FLAGS.SILENT; "\\Seen"
    /// One message of it or none is copied when it is refused. RFC 9051 §6.4.7.
    awaitable<Result<Answer>> copy(UidSet uids, std::string folder);
    awaitable<Result<Answer>> move(UidSet uids, std::string folder);  // RFC 6851
    /// Removes those of them that are flagged \Deleted. RFC 4315.
    awaitable<Result<Answer>> expunge(UidSet uids);
    /// Removes all that are flagged \Deleted, whoever did it.
    awaitable<Result<Answer>> expunge_all();
    awaitable<Result<Answer>> create(std::string folder);

    enum class Woken { news, time, told };  // EXISTS/EXPUNGE/FETCH arrived; `within` is over; wake_idle() was called
    /// IDLE until something happens; ends it with DONE and reads the tagged answer. RFC 2177. Errors: idle_refused.
    /// The wait ends through the stream's watchdog: allow() moves that of a waiting read_more(), and a stream that
    /// said timed_out can be used further.
    awaitable<Result<Woken>> idle(std::chrono::milliseconds within);
    /// Any coroutine of the shard: ends a running idle() early (drain, reload). When none is running, the next one.
    void wake_idle() noexcept;
    awaitable<Result<Answer>> noop();
    awaitable<Result<void>> log_out();

    /// The last lines of the dialogue, secrets redacted, for messages to people.
    [[nodiscard]] std::vector<std::string> last_lines() const;
    /// After errc::literal_too_long and other errors within a FETCH answer: what it had said (uid may be 0).
    [[nodiscard]] std::optional<FetchItem> unfinished() const;
    /// The server's BYE text, when one came.
    [[nodiscard]] const std::string& bye() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace imap
