#include "engine/doctor/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocols/base/text.hpp"

namespace doctor {
namespace {

/// Whether a URL or host is of that domain.
bool is_in(std::string_view place, std::string_view domain) {
    if (const auto scheme = place.find("://"); scheme != std::string_view::npos) place.remove_prefix(scheme + 3);
    place = place.substr(0, place.find_first_of(":/"));
    if (place.size() < domain.size() || !text::same(place.substr(place.size() - domain.size()), domain)) return false;
    return place.size() == domain.size() || place[place.size() - domain.size() - 1] == '.';
}

template <std::size_t count>
bool is_of(const config::Provider& provider, const std::array<std::string_view, count>& domains) {
    return std::any_of(domains.begin(), domains.end(), [&](std::string_view domain) {
        return is_in(provider.token_url, domain) || (provider.imap && is_in(provider.imap->host, domain));
    });
}

}  // namespace

Maker maker_of(const config::Provider& provider) {
    constexpr std::array<std::string_view, 7> microsoft{
        "microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn", "office365.com",
        "office365.us",        "outlook.com",        "partner.outlook.cn"};
    constexpr std::array<std::string_view, 3> google{"googleapis.com", "gmail.com", "googlemail.com"};
    if (provider.preset == "microsoft365" || is_of(provider, microsoft)) return Maker::microsoft;
    if (provider.preset == "gmail" || is_of(provider, google)) return Maker::google;
    return Maker::other;
}

std::string authority_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    return std::string(url.substr(0, url.find('/')));
}

std::string name_of(const Place& place) {
    const bool bare = place.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", bare ? "[" : "", place.host, bare ? "]" : "", place.port);
}

}  // namespace doctor
