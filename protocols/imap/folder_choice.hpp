#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/imap/types.hpp"

namespace imap {

/// Whether LIST's pattern stands for that name: * for anything, % for anything within one level. INBOX is the same in
/// any case. RFC 9051 section 6.3.9.
bool matches(std::string_view pattern, std::string_view name, char delimiter);

/// Special uses of folders. RFC 6154 section 2, RFC 8457.
const std::vector<std::string_view>& special_uses();

/// Whether an entry of a choice stands for folders that have to be looked up: a pattern ("Team/*"), a special use
/// ("\Archive"), or what is left out ("!Team/Old", with a name, a pattern or a use behind the "!").
bool is_looked_up(std::string_view entry);

/// The folders that `wanted` stands for among those that are `there`, each once, in the order of the entries. A plain
/// name is chosen whether it is there or not. Patterns stand for no folder that cannot be opened, and not for those of
/// the uses \All, \Drafts, \Flagged, \Important, \Junk, \Sent and \Trash, which have to be named. `except`, a name
/// or a use, is never chosen by a pattern or a use.
std::vector<std::string> choose_folders(const std::vector<std::string>& wanted, const std::vector<ListEntry>& there,
                                        std::string_view except);

}  // namespace imap
