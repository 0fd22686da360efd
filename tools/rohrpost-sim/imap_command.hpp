#pragma once
/// What IMAP clients say, as values. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sim {

/// A command after its literals were gathered. Words are atoms, quoted strings and literals without their dress;
/// a list in parentheses or a section in brackets stays one word as it was sent.
struct Command {
    std::string tag;
    std::string verb;  // upper case; "UID FETCH" is one verb
    std::vector<std::string> words;
};
/// nullopt: no tag, or quotes and parentheses that don't end. RFC 9051 §9.
std::optional<Command> read_command(std::string_view text);

/// The octets of the literal that the line announces at its end, and whether the client waits for "+".
struct Announced {
    std::size_t bytes = 0;
    bool waits = true;
};
std::optional<Announced> announced_literal(std::string_view line);

struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};
/// "1:4,7,9:*" with `largest` for the star; "n:*" holds the largest in any case. nullopt: malformed.
std::optional<std::vector<Range>> read_set(std::string_view text, std::uint32_t largest);

/// What a FETCH wants of each message.
struct Wanted {
    bool uid = false, flags = false, internal_date = false, size = false, email_id = false;
    struct Section {
        std::string name;                 // "", "HEADER", "HEADER.FIELDS", "TEXT"
        std::vector<std::string> fields;  // of HEADER.FIELDS
        bool partial = false;
        std::uint64_t offset = 0, bytes = 0;
        bool sets_seen = false;
    };
    std::vector<Section> sections;
};
/// nullopt: an item that this server doesn't know.
std::optional<Wanted> read_wanted(std::string_view items);

struct Credentials {
    std::string user;
    std::string secret;  // token or password
};
/// From what the client sent, decoded from base 64. nullopt: not of that form.
std::optional<Credentials> read_xoauth2(std::string_view bytes);
std::optional<Credentials> read_oauthbearer(std::string_view bytes);  // RFC 7628
std::optional<Credentials> read_plain(std::string_view bytes);        // RFC 4616

/// "17-Jul-1996 02:44:25 +0000".
std::string internal_date(std::uint32_t seconds);
std::string flags_text(std::uint8_t flags);
/// Unknown flags count for nothing.
std::uint8_t read_flags(std::string_view list);

/// The part of a message that a section names.
std::string section_of(std::string_view message, const Wanted::Section& section);

}  // namespace sim
