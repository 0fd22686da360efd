#pragma once

#include <string>
#include <string_view>

#include "protocols/http/message.hpp"

namespace console {

/// `text` for the inside of an element or of a quoted attribute.
std::string escaped(std::string_view text);

struct Page {
    int status = 200;
    std::string headline{}, text{}, remedy{};  // plain; empty ones are left out
};
/// As HTML without scripts, with the headers that keep a page to itself. It is never cached, and sends no Referer, as
/// its own address may hold a code.
http::Response shown(const Page& page);
/// What pages look like.
http::Response style_sheet();

}  // namespace console
