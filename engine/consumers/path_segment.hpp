#pragma once

#include <string>
#include <string_view>

namespace consumers {

/// `name` as one segment of a path: never empty, `.`, `..` or hidden, no slash, no control, at most 200 bytes. Letters,
/// digits and `@._+=-` stay; every other byte, and a dot in front, becomes %XX. Different names give different
/// segments (long ones are cut and carry a hash), so a name never reaches another one's folder.
std::string path_segment(std::string_view name);

/// `path` with every `{mailbox}` replaced by the mailbox id as a path segment.
std::string place_for(std::string_view path, std::string_view mailbox);

}  // namespace consumers
