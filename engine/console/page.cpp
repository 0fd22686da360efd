#include "engine/console/page.hpp"

namespace console {

namespace {

constexpr std::string_view frame = R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{}Rohrpost</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{}
<link rel="stylesheet" href="/style.css"></head>
<body>
<header><div><a class="mark" href="/">Rohrpost</a>{}</div></header>
<main>
{}</main>
</body>
</html>
)";

/// An Origin of "null" would make our own forms look foreign, so a page with forms tells itself who it is; nobody else.
void protect(http::Response& response, bool without_origin) {
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
                                  "base-uri 'none'");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("X-Frame-Options", "DENY");
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    response.headers.emplace_back("Referrer-Policy", without_origin ? "no-referrer" : "same-origin");
    response.headers.emplace_back("Cache-Control", "no-store");
}

Html way_out(const std::string& csrf) {
    if (csrf.empty()) return {};
    return html(
        "<form method=\"post\" action=\"/logout\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">"
        "<button class=\"second\" name=\"logout\" value=\"yes\">Log out</button></form>",
        csrf);
}

Html paragraph(std::string_view pattern, const std::string& text) {
    return text.empty() ? Html() : html(pattern, text);
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string html;
    html.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            case '"':
                html += "&quot;";
                break;
            case '\'':
                html += "&#39;";
                break;
            default:
                html += c;
        }
    }
    return html;
}

http::Response shown(const Page& page) {
    http::Response response;
    response.status = page.status;
    response.content_type = "text/html; charset=utf-8";
    const auto title = page.title.empty() ? Html() : html("{} · ", page.title);
    const auto refresh =
        page.refresh_seconds == 0 ? Html() : html("<meta http-equiv=\"refresh\" content=\"{}\">", page.refresh_seconds);
    response.body = html(frame, title, refresh, way_out(page.csrf), page.content).markup;
    protect(response, page.without_origin);
    return response;
}

Html content_of(const Notice& notice) {
    Html content = html("<h1>{}</h1>\n", notice.headline);
    content += paragraph("<p>{}</p>\n", notice.text);
    content += paragraph("<p class=\"remedy\">{}</p>\n", notice.remedy);
    if (!notice.back.empty()) content += html("<p><a href=\"{}\">{}</a></p>\n", notice.back, notice.back_words);
    return html("<div class=\"card\">\n{}</div>\n", content);
}

http::Response shown(const Notice& notice, const std::string& csrf) {
    return shown(Page{.status = notice.status, .title = notice.headline, .content = content_of(notice), .csrf = csrf});
}

http::Response redirect_to(std::string path) {
    http::Response response;
    response.status = 303;
    response.headers.emplace_back("Location", std::move(path));
    protect(response, false);
    return response;
}

}  // namespace console
