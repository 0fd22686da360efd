#include "engine/config/lmtp_place.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"

namespace config {
namespace {

constexpr std::size_t path_bytes_max = 107;  // of sockaddr_un

bool is_host(std::string_view host, bool bracketed) {
    return !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), [bracketed](char c) {
        return (text::lower(c) >= 'a' && text::lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_' || (bracketed && c == ':');
    });
}

}  // namespace

bool names_this_machine(std::string_view host) noexcept {
    const bool v4 = host.find_first_not_of("0123456789.") == std::string_view::npos;  // no name like 127.0.evil.test
    return host == "localhost" || host == "::1" || (v4 && host.starts_with("127."));
}

bool LmtpPlace::on_this_machine() const noexcept { return is_socket() || names_this_machine(host); }

std::optional<LmtpPlace> lmtp_place_of(std::string_view address) {
    constexpr std::string_view scheme = "unix:";
    std::string_view path = address;
    if (path.starts_with(scheme)) path.remove_prefix(scheme.size());
    if (path.starts_with('/')) {
        if (path.size() > path_bytes_max) return std::nullopt;
        return LmtpPlace{.host = std::string(path)};
    }
    const auto colon = address.rfind(':');
    if (path.size() != address.size() || colon == std::string_view::npos) return std::nullopt;
    const auto port = text::number<std::uint16_t>(address.substr(colon + 1));
    std::string_view host = address.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (!port || *port == 0 || !is_host(host, bracketed)) return std::nullopt;
    return LmtpPlace{.host = std::string(host), .port = *port};
}

}  // namespace config
