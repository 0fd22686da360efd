#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Content-transfer-encodings, backwards: whatever comes gives some bytes. RFC 2045 §6. Linear.
namespace mime {

/// What is none of its letters is skipped; after "=" a new text may begin. At most `bytes_max` bytes.
std::string decoded_base64(std::string_view text, std::size_t bytes_max = std::string::npos);
/// How many bytes decoded_base64() would give.
std::size_t decoded_base64_bytes(std::string_view text) noexcept;

/// What is no code stays as it is; blanks at the end of a line go. At most `bytes_max` bytes.
std::string decoded_quoted_printable(std::string_view text, std::size_t bytes_max = std::string::npos);

/// Two hexadecimal digits.
std::optional<char> hex_byte(std::string_view digits) noexcept;

}  // namespace mime
