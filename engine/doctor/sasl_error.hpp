#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace doctor {

/// The error that a server sent as base 64 in the middle of an OAuth log-in ("+ eyJ…", "334 eyJ…"), as JSON in
/// printable form; nullopt: there is none in `text`. RFC 7628 §3.2.2.
std::optional<std::string> sasl_error_in(std::string_view text);

}  // namespace doctor
