#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/imap/types.hpp"

namespace imap {

/// One response without its body literals, taken apart as far as all responses are alike. Views into the response.
struct Response {
    enum class Kind {
        tagged,        // tag, name (OK, NO, BAD), rest
        untagged,      // number when the response starts with one, name, rest
        continuation,  // rest
        bare,          // rest: a line that follows no rule. Exchange: "Server Unavailable. 15"
    };
    Kind kind = Kind::bare;
    std::string_view tag;
    std::optional<std::uint32_t> number;
    std::string_view name;
    std::string_view rest;

    [[nodiscard]] bool is(std::string_view untagged_name) const noexcept;
};
/// Never fails: what is no response is bare. RFC 9051 §9 response.
Response read_response(std::string_view text) noexcept;

/// OK, NO, BAD; nullopt: none of them.
std::optional<Status> status_of(std::string_view name) noexcept;
/// "[UIDVALIDITY 17] words" (or "words") after OK, NO, BAD, BYE; the text may be missing (Gmail 2026-11:
/// "[HIGHESTMODSEQ 9]"). Words are made printable, at most 1000 bytes of them.
struct StatusText {
    std::string code;
    std::string text;
};
/// The response code without brackets, as it came; empty: none.
std::string_view code_in(std::string_view rest) noexcept;
StatusText read_status_text(std::string_view rest);
/// The number in a response code: number_in("UIDNEXT 17", "UIDNEXT") is 17.
std::optional<std::uint32_t> number_in(std::string_view code, std::string_view name) noexcept;

/// `(\HasNoChildren) "/" "INBOX"`; tolerates names unquoted with blanks and tabs in them, and a missing opening quote
/// (Exchange 2026-11). nullopt: no list entry. `name` is decoded (see mailbox_name.hpp). RFC 9051 §7.3.1.
enum class NameCoding { utf7, utf8 };
std::optional<ListEntry> read_list_entry(std::string_view rest, NameCoding coding);

/// Adds ALL of `ESEARCH (TAG "A1") UID COUNT 2 ALL 4:18,21` to `found`; SEARCH is the response reader's.
/// Errors: malformed_response, too_many_responses (over `ranges_max`). RFC 4731 §3.1.
Result<void> read_esearch(std::string_view rest, std::size_t ranges_max, UidSet& found);
/// Adds the ranges of a sequence-set without "*". Errors as above.
Result<void> read_uid_set(std::string_view text, std::size_t ranges_max, UidSet& found);

/// MESSAGES, UIDNEXT, UIDVALIDITY of `"name" (MESSAGES 231 UIDNEXT 44292)`; unknown items are skipped.
/// Errors: malformed_response.
Result<Selected> read_status(std::string_view rest);

/// Words of CAPABILITY, upper case.
std::vector<std::string> read_capabilities(std::string_view rest, std::size_t words_max);

}  // namespace imap
