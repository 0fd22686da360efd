#pragma once
/// JSON from people one has to check: bounded, without duplicate members, wiped when it ends.

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocols/base/result.hpp"

namespace jose {

/// The object that `text` is, the whole of it. Its memory is wiped when it is freed, as keys and tokens lie in it.
/// Errors: too_long (over `bytes_max`), not_json (also: nested deeper than 16, not UTF-8), duplicate_member anywhere.
Result<boost::json::object> read_object(std::string_view text, std::size_t bytes_max);

/// Empty: absent, or no text.
std::string_view text_at(const boost::json::object& object, std::string_view key);

/// A NumericDate (RFC 7519 §2) as whole seconds, the years 1970 to 9999; nullopt: absent, no number, out of range.
std::optional<std::int64_t> date_at(const boost::json::object& object, std::string_view key);

}  // namespace jose
