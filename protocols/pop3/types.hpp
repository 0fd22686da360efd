#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pop3 {

/// The number of a message within one session: 1, 2, … as LIST says.
using Number = std::uint32_t;

/// Named bounds on what a server can make us hold. Over: an error, and the connection ends.
struct Limits {
    std::size_t line_bytes_max = 4096;          // but for lines of messages, which are not held
    std::size_t capability_lines_max = 200;     // of CAPA
    std::size_t listing_lines_max = 1'000'000;  // of LIST and UIDL
    std::size_t uidl_bytes_max = 255;           // RFC 1939 says 70; some servers take more
    std::uint64_t body_bytes_max = 150ULL * 1024 * 1024;
};

/// The status line that ends or begins an answer: also a refusal is one.
struct Answer {
    bool accepted = true;   // +OK
    std::string code;       // response code without brackets: "AUTH", "IN-USE", "SYS/TEMP". RFC 2449 §8
    std::string text;       // what the server says, printable
    std::string challenge;  // of a refused log-in: what the server said about the token before (JSON), printable
    [[nodiscard]] bool ok() const noexcept { return accepted; }
};

/// What CAPA says, as far as anything follows from it. RFC 2449 §6.
struct Capabilities {
    bool known = false;  // CAPA was answered
    bool top = false, uidl = false, user = false, stls = false, pipelining = false, utf8 = false;
    std::vector<std::string> mechanisms;              // of SASL, in upper case
    std::optional<std::chrono::seconds> login_delay;  // least time between two log-ins
    std::optional<std::uint32_t> expires_after_days;  // 0: what was fetched may be deleted at once
    [[nodiscard]] bool offers(std::string_view mechanism) const noexcept;
};

struct Counted {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
};

/// A message as LIST or UIDL names it.
struct ListEntry {
    Number number = 0;
    std::uint64_t bytes = 0;  // a hint only: Exchange makes messages anew when they are fetched
};
struct UidlEntry {
    Number number = 0;
    std::string uidl;
};

/// Understands what response codes and texts of servers say about the account. Pure.
struct Hint {
    enum class Kind {
        none,
        credentials,           // [AUTH]: user, token or password
        token_expired,         // the session ended with its token
        in_use,                // [IN-USE]: another session has the mailbox
        login_delay,           // [LOGIN-DELAY]: too soon
        throttled,             // too much was asked for
        too_many_connections,  // at once
        temporary,             // [SYS/TEMP]
        permanent,             // [SYS/PERM]: a person has to look
    };
    Kind kind = Kind::none;
    std::optional<std::uint64_t> back_off_ms;  // "Suggested Backoff Time: 92415 milliseconds"
};
Hint hint_of(const Answer& answer);

}  // namespace pop3
