#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mime {

/// The addresses of a To, Cc, Bcc, From or Sender field, bare ("a@b", quotes of a local part kept), in their order:
/// display names, comments, groups and folding are understood. RFC 5322 §3.4. Whether each is a good address is for
/// the caller to see. nullopt: the list is broken (quotes, brackets or a comment without end, text where an address
/// should be).
std::optional<std::vector<std::string>> addresses_in(std::string_view value);

}  // namespace mime
