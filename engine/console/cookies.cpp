#include "engine/console/cookies.hpp"

#include <fmt/format.h>

#include "protocols/base/text.hpp"

namespace console {

std::string Cookies::full_name(std::string_view name) const {
    return fmt::format("{}rohrpost-{}", secure_ ? "__Host-" : "", name);
}

std::string Cookies::value(const http::Request& request, std::string_view name) const {
    const std::string wanted = full_name(name);
    std::string value;
    std::size_t found = 0;
    for (const auto& [header, content] : request.headers) {
        if (!text::same(header, "Cookie")) continue;
        for (const auto pair : text::split(content, ';')) {
            const auto cookie = text::trimmed(pair);
            const auto equals = cookie.find('=');
            if (equals == std::string_view::npos || cookie.substr(0, equals) != wanted) continue;
            value = cookie.substr(equals + 1);
            ++found;
        }
    }
    return found == 1 ? value : std::string();
}

std::pair<std::string, std::string> Cookies::set(std::string_view name, std::string_view value, SameSite site,
                                                 std::chrono::seconds life) const {
    return {"Set-Cookie",
            fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite={}{}", full_name(name), value, life.count(),
                        site == SameSite::strict ? "Strict" : "Lax", secure_ ? "; Secure" : "")};
}

}  // namespace console
