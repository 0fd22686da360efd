#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/submission/errc.hpp"
#include "engine/submission/preparation.hpp"
#include "engine/submission/record.hpp"
#include "engine/submission/senders.hpp"
#include "protocols/base/random.hpp"
#include "queue/store/committer.hpp"

namespace submission {

/// What an application asks for.
struct Order {
    std::string message;                // as it came
    std::optional<std::string> sender;  // envelope; absent: the Sender or From of the message
    std::vector<std::string> recipients;
    bool recipients_of_headers = false;  // those of To, Cc and Bcc as well
    Preparation::Options::LineEnds line_ends = Preparation::Options::LineEnds::any;
    std::string key;  // of idempotency; empty: none
    store::Lane lane = store::Lane::interactive;
    std::optional<store::Millis> not_before;
    std::chrono::milliseconds life{std::chrono::hours(48)};  // from then on
    smtp::Notify notify{};                                   // of `recipients`
    std::string envelope_id{};
    smtp::Returned returned = smtp::Returned::unsaid;

    // Of whoever speaks SMTP.
    std::vector<smtp::Recipient> addressed{};  // beside `recipients`
    std::string received_from{};  // "from app.example ([127.0.0.1]) by host with ESMTP": a Received field; empty: none
    bool wishes_in_headers = false;  // X-Rohrpost-Key, -Lane and -Not-Before go before what is said here
};

/// Why an order is not taken, with the place: "recipient \"a@\": …".
struct Fault {
    error_code code;
    std::string what;
};

/// What goes to the store.
struct Draft {
    Ticket ticket;
    std::string message;  // canonical
    store::Submission submission;
};

inline constexpr std::size_t recipients_max = 1000;
inline constexpr std::size_t key_bytes_max = 200;

/// Looks at an order and prepares it. Pure but for the marks drawn from `random`.
std::variant<Draft, Fault> drafted(Order order, Random& random, WallTime now);

/// The committer's part. Errors: unknown_sender, closed, and those of the store.
struct AcceptWork {
    Senders* senders = nullptr;
    Draft draft;
    bool even_when_closed = false;  // our own: alarms

    struct Accepted {
        store::SubmissionId id = 0;
        store::MailboxNumber mailbox = 0;
        std::string mailbox_id;
        bool known_before = false;
    };
    Result<Accepted> operator()(store::Workbench bench);
};

/// "alarm", "interactive" (also without a word) or "bulk".
std::optional<store::Lane> lane_of(std::string_view word);

/// A submission's number as people and applications see it: Crockford's base 32, 13 characters, in order of number.
std::string id_text(store::SubmissionId id);
std::optional<store::SubmissionId> id_from(std::string_view text);

}  // namespace submission
