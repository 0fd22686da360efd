#pragma once

#include <string>
#include <string_view>

namespace mime {

/// The text of a field: unfolded, encoded words decoded, UTF-8, without controls. RFC 2047. Linear.
/// As mail programs write them: in quotes, without blanks around, with blanks within, with a language (RFC 2231 §5),
/// characters split between adjacent words of one charset. What is no encoded word stays as it is. `likely` is the
/// charset of 8-bit bytes that are not encoded, when nothing else says.
std::string decoded_words(std::string_view value, std::string_view likely = {});

/// Whether there is nothing to unfold or to decode in a value that is trimmed: decoded_words() gives it as it is.
bool is_decoded(std::string_view value) noexcept;

/// Without what a line of text cannot hold: controls become blanks.
std::string without_controls(std::string text);

}  // namespace mime
