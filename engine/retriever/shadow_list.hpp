#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queue/store/records.hpp"

namespace retriever {

/// A mail that another product says to have delivered.
struct ShadowListEntry {
    std::string message_id;  // as plain_message_id() has it; empty: it has none
    std::optional<store::Digest> fingerprint;
    std::optional<store::Millis> at;

    bool operator==(const ShadowListEntry&) const = default;
};

/// What another product says to have delivered: a line each.
///   <id@host> [TIME]      Message-ID, with or without angle brackets
///   =HEX [<id@host>] [TIME]   32 digits: the fingerprint of its head, as `rohrpost mailbox shadow` reads it from files
/// TIME: 2026-11-27T10:00:00Z, with an offset, or seconds since 1970. What follows a # at the front is a remark.
struct ShadowList {
    std::vector<ShadowListEntry> entries;
    std::string fault;  // the first line that cannot be read, in words; empty: none
};
inline constexpr std::size_t shadow_list_entries_max = 500'000;
/// Pure.
ShadowList read_shadow_list(std::string_view text);
/// A line that reads back as the entry, with its line end.
std::string line_of(const ShadowListEntry& entry);

/// "2026-11-27T10:00:00Z", "…+01:00", a day, or seconds since 1970 (nine digits or more). RFC 3339.
std::optional<store::Millis> read_time(std::string_view text);

}  // namespace retriever
