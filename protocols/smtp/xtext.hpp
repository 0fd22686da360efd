#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtp {

/// RFC 3461 §4: "+", "=" and everything but printable ASCII become "+2B" and the like.
std::string xtext_encoded(std::string_view bytes);
/// nullopt: no xtext.
std::optional<std::string> xtext_decoded(std::string_view xtext);

}  // namespace smtp
