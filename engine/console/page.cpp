#include "engine/console/page.hpp"

#include <fmt/format.h>

namespace console {

namespace {

constexpr std::string_view style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1rem;color:#1a1a1a}\n"
    "h1{font-size:1.4rem}\n"
    ".remedy{border-left:4px solid #c60;padding-left:1rem}\n"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#eee}}\n";

void protect(http::Response& response) {
    response.headers = {{"Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; "
                         "base-uri 'none'"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cache-Control", "no-store"}};
}

std::string paragraph(std::string_view kind, std::string_view text) {
    return text.empty() ? std::string() : fmt::format("<p{}>{}</p>\n", kind, escaped(text));
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
    response.body = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Rohrpost</title>\n"
        "<meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/style.css\"></head>\n"
        "<body>\n<h1>{}</h1>\n{}{}</body>\n</html>\n",
        escaped(page.headline), paragraph("", page.text), paragraph(" class=\"remedy\"", page.remedy));
    protect(response);
    return response;
}

http::Response style_sheet() {
    http::Response response;
    response.content_type = "text/css; charset=utf-8";
    response.body = style;
    protect(response);
    return response;
}

}  // namespace console
