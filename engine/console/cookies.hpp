#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "protocols/http/message.hpp"

namespace console {

enum class SameSite {
    strict,  // comes with requests from our own pages, and with addresses that a person opened
    lax,     // comes back with the redirect from another site, too
};

/// The cookies of one site. Under https their names begin with __Host-, so that no other host or path can set them.
/// RFC 6265bis.
class Cookies {
public:
    enum class Scheme { http, https };
    explicit Cookies(Scheme scheme) : secure_(scheme == Scheme::https) {}

    /// The value that the browser sent; empty: none, or two of that name.
    [[nodiscard]] std::string value(const http::Request& request, std::string_view name) const;
    /// A Set-Cookie header: HttpOnly, for the whole site. A life of zero removes the cookie.
    [[nodiscard]] std::pair<std::string, std::string> set(std::string_view name, std::string_view value, SameSite site,
                                                          std::chrono::seconds life) const;

private:
    [[nodiscard]] std::string full_name(std::string_view name) const;
    bool secure_;
};

}  // namespace console
