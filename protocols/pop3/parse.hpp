#pragma once

#include <optional>
#include <string_view>

#include "protocols/pop3/types.hpp"

namespace pop3 {

/// "+OK text", "-ERR [CODE] text"; nullopt: neither. Line without its end. RFC 1939 §3, 2449 §8.
std::optional<Answer> read_answer(std::string_view line);
/// The challenge of "+ Y2hhbGxlbmdl", still in base 64; nullopt: no continuation. RFC 5034 §4.
std::optional<std::string_view> read_continuation(std::string_view line);
/// "12 345678": the numbers behind +OK of STAT.
std::optional<Counted> read_stat(std::string_view text);
/// "3 1205"; what follows is left alone. A number above 0.
std::optional<ListEntry> read_list_entry(std::string_view line);
/// "3 QhdPYR:00WBw1Ph7x7"; at most `uidl_bytes_max` printable bytes without blanks.
std::optional<UidlEntry> read_uidl_entry(std::string_view line, std::size_t uidl_bytes_max);
/// Learns from one line of CAPA.
void read_capability(std::string_view line, Capabilities& into);

}  // namespace pop3
