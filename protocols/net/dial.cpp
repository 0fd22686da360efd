#include "protocols/net/dial.hpp"

#include "protocols/base/text.hpp"
#include "protocols/net/errc.hpp"

namespace net {

namespace {

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char lowered = text::lower(c);
    return lowered >= 'a' && lowered <= 'f' ? lowered - 'a' + 10 : -1;
}

/// nullopt: a broken escape.
std::optional<std::string> unescaped(std::string_view escaped) {
    std::string out;
    for (std::size_t i = 0; i < escaped.size(); ++i) {
        if (escaped[i] != '%') {
            out += escaped[i];
            continue;
        }
        if (i + 2 >= escaped.size()) return std::nullopt;
        const int high = hex_value(escaped[i + 1]);
        const int low = hex_value(escaped[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

}  // namespace

Result<Proxy> read_proxy(std::string_view url) {
    Proxy proxy;
    if (text::starts_with_same(url, "http://")) {
        url.remove_prefix(7);
    } else if (text::starts_with_same(url, "socks5://")) {
        proxy.kind = Proxy::Kind::socks5;
        url.remove_prefix(9);
    } else {
        return errc::proxy_url_malformed;
    }
    if (url.ends_with('/')) url.remove_suffix(1);
    if (const auto at = url.rfind('@'); at != std::string_view::npos) {
        const std::string_view login = url.substr(0, at);
        const auto colon = std::min(login.find(':'), login.size());
        const auto user = unescaped(login.substr(0, colon));
        auto password = unescaped(login.substr(std::min(colon + 1, login.size())));
        if (!user || user->empty() || !password) return errc::proxy_url_malformed;
        proxy.user = *user;
        proxy.password = Secret(std::move(*password));
        url.remove_prefix(at + 1);
    }
    const auto colon = url.rfind(':');
    if (colon == std::string_view::npos) return errc::proxy_url_malformed;
    std::string_view host = url.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto port = text::number<std::uint16_t>(url.substr(colon + 1));
    if (host.empty() || host.find_first_of("/[]@ ") != std::string_view::npos || !port || *port == 0) {
        return errc::proxy_url_malformed;
    }
    proxy.host = host;
    proxy.port = *port;
    return proxy;
}

}  // namespace net
