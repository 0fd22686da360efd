#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mime/parts.hpp"

/// What a header section says of how a mail came about: pure, a pass over its fields.
namespace mime {

/// Why a mail is an automatic reply: the field that says so. Empty: it is none. RFC 3834 §5, and what programs wrote
/// before and beside it. `auto-generated` alone is no reply; X-Auto-Response-Suppress, which only asks others not to
/// answer, and Precedence bulk say nothing of the kind.
std::string why_auto_reply(const HeaderSection& head, std::string_view subject);

/// A mailing list's mail. RFC 2919, RFC 2369, RFC 8058.
struct List {
    bool is_list = false;  // it came by way of a list; what can only be unsubscribed from (a newsletter) did not
    std::string id{};      // without brackets and description
    std::string post{};    // URL; empty: none
    std::vector<std::string> unsubscribe{};  // URLs
    bool one_click = false;
};
List read_list(const HeaderSection& head);

/// Why a mail seems to go round in circles; empty: it does not.
std::string why_loop(const HeaderSection& head);
inline constexpr std::size_t received_max = 50;  // hops; RFC 5321 §6.3 wants at least 100 of a relay, we are an end

}  // namespace mime
