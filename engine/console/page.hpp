#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/console/html.hpp"
#include "protocols/http/message.hpp"

namespace console {

/// What is around the content of a page.
struct Page {
    int status = 200;
    std::string title{};
    Html content{};
    std::string csrf{};           // of the session that sees it; empty: nobody is logged in
    int refresh_seconds = 0;      // 0: it stays as it is
    bool without_origin = false;  // its address may hold a code: it sends no Referer and no Origin
};
/// As HTML without scripts, with the headers that keep a page to itself. It is never cached.
http::Response shown(const Page& page);

/// A page that says one thing: what happened, and what to do.
struct Notice {
    int status = 200;
    std::string headline{}, text{}, remedy{};  // plain; empty ones are left out
    std::string back{}, back_words{};          // a path of ours to go on to
};
Html content_of(const Notice& notice);
http::Response shown(const Notice& notice, const std::string& csrf = {});

/// To a path of our own.
http::Response redirect_to(std::string path);
/// What pages look like.
http::Response style_sheet();

}  // namespace console
