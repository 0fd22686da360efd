#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Base 64 with the standard alphabet and padding, no line breaks. RFC 4648 §4.
std::string base64_encoded(std::string_view bytes);
/// nullopt: a foreign character, wrong padding or length. Strict: no blanks, no line breaks.
std::optional<std::string> base64_decoded(std::string_view text);
/// Base 64 with the URL-safe alphabet and no padding. RFC 4648 §5.
std::string base64url_encoded(std::string_view bytes);
std::optional<std::string> base64url_decoded(std::string_view text);
