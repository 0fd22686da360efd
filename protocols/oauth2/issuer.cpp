#include "protocols/oauth2/issuer.hpp"

namespace oauth2 {
namespace {

constexpr std::size_t guid_bytes = 36;

}  // namespace

bool is_tenant_id(std::string_view id) noexcept {
    if (id.size() != guid_bytes) return false;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const char c = id[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

bool is_issuer(std::string_view issuer, std::string_view expected, std::string_view tenant) noexcept {
    const auto place = expected.find(tenant_place);
    if (place == std::string_view::npos) return !expected.empty() && issuer == expected;
    const auto after = expected.substr(place + tenant_place.size());
    return is_tenant_id(tenant) && issuer.size() == place + tenant.size() + after.size() &&
           issuer.starts_with(expected.substr(0, place)) && issuer.substr(place, tenant.size()) == tenant &&
           issuer.ends_with(after);
}

bool may_be_issuer(std::string_view issuer, std::string_view expected) noexcept {
    const auto place = expected.find(tenant_place);
    const bool has_tenant = place != std::string_view::npos && issuer.size() >= place + guid_bytes;
    return is_issuer(issuer, expected, has_tenant ? issuer.substr(place, guid_bytes) : std::string_view());
}

}  // namespace oauth2
