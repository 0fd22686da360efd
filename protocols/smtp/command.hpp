#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/smtp/envelope.hpp"

/// Commands as bytes, with CRLF. Addresses are checked by their type; the rest is checked here, so that nobody can put
/// a line end into a command.
namespace smtp {

/// "EHLO name". `name`: a domain or an address literal, in ASCII. Errors: bad_name.
Result<std::string> hello_command(std::string_view verb, std::string_view name);

/// Whether it can stand as ENVID: printable ASCII, at most 100 characters as xtext. RFC 3461 §4.4
bool is_envelope_id(std::string_view id);

/// What mail_command() and recipient_command() rely on. Errors: no_recipients, bad_envelope_id, bad_original_recipient.
Result<void> check(const Envelope& envelope);

/// "MAIL FROM:<…>" with the parameters that `offered` has room for. RFC 1870, 3030, 3461, 6152, 6531.
std::string mail_command(const Envelope& envelope, std::uint64_t size_bytes, const Capabilities& offered);
std::string recipient_command(const Recipient& recipient, const Capabilities& offered);

enum class Chunk { more_follow, last };
/// "BDAT n" or "BDAT n LAST". RFC 3030.
std::string chunk_command(std::uint64_t bytes, Chunk chunk);

}  // namespace smtp
