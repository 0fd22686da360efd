#pragma once
/// Decisions about access tokens as functions of facts: when to refresh, what an answer of the token endpoint means,
/// whose fault a refused login is. No clock, no socket; the tables in the tests are the specification.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/oauth2/response.hpp"

namespace tokens {

/// When an access token ends, and when a successor is asked for.
struct Lifetime {
    WallTime expires_at{};
    WallTime refresh_at{};
};

/// `expires_in` is what the provider said, counted from the moment we asked. Without a sensible value (absent, zero,
/// negative) a token is taken to live five minutes; none is taken to live longer than 28 hours, the longest that
/// providers give. The successor is asked for 600 to 900 seconds before the end, spread evenly by `spread` (0 to 1) so
/// that grants that expire together don't refresh together; never earlier than a third of the life before its end.
Lifetime lifetime_of(WallTime asked_at, std::optional<std::chrono::seconds> expires_in, double spread);

/// An answer of the token endpoint, reduced to what a decision may depend on. Texts and error numbers are for people.
struct Answer {
    int status = 0;          // of HTTP; 0: none came (name resolution, connection, TLS, time)
    bool has_token = false;  // a well-formed answer with an access token in it
    std::string error;       // RFC 6749 §5.2; empty when there is none, or the body is not JSON
    std::string suberror;    // of Microsoft Entra
    std::optional<std::chrono::seconds> retry_after = std::nullopt;
    /// Entra says 400 and invalid_grant to a client that asks too often (AADSTS50196): a 429 in disguise. The one
    /// number that counts, as the grant is sound.
    bool throttled = false;
};

/// The part of a refusal that counts.
Answer answer_of(const oauth2::Refusal& refusal);

enum class Meaning {
    usable,             // the token may be used once it is durable
    retry,              // says nothing about the grant: again after `wait`
    consent_needed,     // the grant is dead: only a new sign-in helps
    operator_must_act,  // application, configuration or policy: repeated rarely, in case it was put right
};

struct Decision {
    Meaning meaning = Meaning::retry;
    std::chrono::seconds wait{};  // until the next attempt; zero when usable or consent_needed
};

/// What an answer means after `failures` failed attempts in a row before it. A 429, a 5xx, no answer at all, a page
/// that is not JSON, and whatever carries Retry-After never harm a grant. `spread` (0 to 1) is the jitter.
Decision decision_of(const Answer& answer, std::uint32_t failures, double spread);

/// The same for a flow in which nobody signs in (client_credentials, service_account): a dead grant is the operator's.
Decision without_person(Decision decision, double spread);

/// The pause after the n-th failure in a row: 5 s, doubled each time up to 10 min, of which the second half is spread.
std::chrono::seconds pause_after(std::uint32_t failures, double spread);

/// A session reports that the server refused the newest token of a credential. What is known about that token:
struct Refusal {
    bool can_refresh = true;  // false: a password
    std::optional<std::chrono::seconds> since_forced_refresh =
        std::nullopt;                                                   // that such a report led to; absent: never
    std::optional<std::chrono::seconds> since_accepted = std::nullopt;  // a login with this token worked; absent: never
};
enum class Ruling {
    refresh,  // ask for a new token now, once, however many sessions report
    ignore,   // others get in with it: the mailbox that reports has a fault of its own
    park,     // even a fresh token is refused: the operator must act
};
Ruling ruling_on(const Refusal& refusal);

/// How long a credential stays parked before one more attempt is made.
inline constexpr std::chrono::seconds parked_for = std::chrono::minutes(15);

/// The words of a state, as operators and the store see them.
std::string_view words_of(Meaning meaning) noexcept;

}  // namespace tokens
