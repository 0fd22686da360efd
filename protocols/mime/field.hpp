#pragma once

#include <string_view>

namespace mime {

/// The value of the first header field of that name (in any case): raw, trimmed, still folded and encoded. A view into
/// the message; empty: it is not within header_bytes_max. As scan_headers(), without parsing.
std::string_view field_of(std::string_view message, std::string_view name) noexcept;

}  // namespace mime
