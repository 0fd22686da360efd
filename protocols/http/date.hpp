#pragma once

#include <optional>
#include <string_view>

#include "protocols/base/clock.hpp"

namespace http {

/// "Fri, 27 Nov 2026 00:57:12 GMT", the form that is sent today; nullopt: another one. RFC 9110 §5.6.7.
std::optional<WallTime> read_date(std::string_view text) noexcept;

}  // namespace http
