#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imap {

using Uid = std::uint32_t;

/// Inclusive.
struct UidRange {
    Uid first = 0;
    Uid last = 0;
    friend bool operator==(const UidRange&, const UidRange&) = default;
};

/// UIDs as sorted, disjoint ranges: the size of a mailbox costs nothing.
class UidSet {
public:
    /// Of ranges in any order, overlapping or not.
    static UidSet of(std::vector<UidRange> ranges);
    void add(Uid uid) { add(UidRange{uid, uid}); }
    void add(UidRange range);
    void add(const UidSet& more);
    void remove(Uid uid);
    [[nodiscard]] bool contains(Uid uid) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
    [[nodiscard]] std::uint64_t count() const noexcept;
    [[nodiscard]] const std::vector<UidRange>& ranges() const noexcept { return ranges_; }
    /// "1:4,7". RFC 9051 §9 sequence-set.
    [[nodiscard]] std::string text() const;
    /// Takes the lowest `uids_max` UIDs out, as a set whose text() is at most `text_bytes_max` long.
    UidSet take_front(std::uint64_t uids_max, std::size_t text_bytes_max);
    friend bool operator==(const UidSet&, const UidSet&) = default;

private:
    std::vector<UidRange> ranges_;
};

/// Named bounds on what a server can make us hold. Over: errc::…_too_long and the connection ends.
struct Limits {
    std::size_t line_bytes_max = 64 * 1024;           // a response without its literals
    std::size_t small_literal_bytes_max = 64 * 1024;  // literals that are not message bodies (names, flags, text)
    std::uint64_t body_bytes_max = 150ULL * 1024 * 1024;
    std::size_t nesting_max = 32;
    std::size_t untagged_per_command_max = 1'000'000;  // not counting FETCH answers that were asked for
    std::size_t ranges_max = 1'000'000;                // of one SEARCH answer
    std::size_t list_entries_max = 100'000;
    std::size_t list_bytes_max = 16 * 1024 * 1024;  // of all entries together
};

enum class Status { ok, no, bad };

/// The tagged end of a command: an answer, also when it is a refusal.
struct Answer {
    Status status = Status::ok;
    std::string code;  // response code without brackets: "AUTHENTICATIONFAILED", "UIDVALIDITY 17"
    std::string text;  // what the server says, printable
    [[nodiscard]] bool ok() const noexcept { return status == Status::ok; }
};

/// Understands what the texts of Exchange and Gmail say about the account. PROVIDERS.md-style facts, pure.
struct Hint {
    enum class Kind { none, token_expired, throttled, unavailable, not_connected, too_many_connections, over_quota };
    Kind kind = Kind::none;
    std::optional<std::uint64_t> back_off_ms;  // "Suggested Backoff Time: 92415 milliseconds"
};
Hint hint_of(std::string_view server_text);
Hint hint_of(const Answer& answer);  // its code and its text

/// The state of a mailbox after SELECT or EXAMINE, kept current by untagged responses.
struct Selected {
    std::uint32_t uid_validity = 0;
    Uid uid_next = 0;  // 0: the server did not say
    std::uint32_t exists = 0;
    bool read_only = false;
};

struct ListEntry {
    std::string name;       // UTF-8, decoded
    std::string wire_name;  // as the server spells it
    char delimiter = 0;
    std::vector<std::string> attributes;  // "\\Noselect", "\\Sent", …
};

/// What one FETCH response said, in whatever order it came.
struct FetchItem {
    Uid uid = 0;  // 0: not said (yet)
    std::uint32_t sequence = 0;
    std::string internal_date;  // as sent; empty: not said
    std::uint64_t size = 0;     // RFC822.SIZE, a hint only
    bool has_body = false;      // BODY[] came with a literal or string (NIL and the empty string are none)
    std::uint64_t body_bytes = 0;
    std::vector<std::string> flags;
    std::string email_id;  // of its content, in whatever folder: EMAILID (RFC 8474) or X-GM-MSGID; empty: not said
};

/// "17-Jul-1996 02:44:25 -0700" as seconds since 1970. RFC 9051 §9 date-time.
std::optional<std::int64_t> read_internal_date(std::string_view text);

}  // namespace imap
