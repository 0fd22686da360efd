#include <arpa/inet.h>

#include <array>

#include "engine/config/flags.hpp"
#include "protocols/base/text.hpp"

namespace config {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

/// A whole number and one of the units after it.
template <std::size_t count>
std::optional<std::uint64_t> quantity_of(std::string_view written, const std::array<Unit, count>& units) {
    const auto digits = std::min(written.find_first_not_of("0123456789"), written.size());
    const auto number = text::number<std::uint64_t>(written.substr(0, digits));
    if (!number) return std::nullopt;
    for (const Unit& unit : units) {
        std::uint64_t product = 0;
        if (unit.name != written.substr(digits)) continue;
        return __builtin_mul_overflow(*number, unit.factor, &product) ? std::nullopt : std::optional(product);
    }
    return std::nullopt;
}

bool is_address(int family, const std::string& address) {
    if (address.find('\0') != std::string::npos) return false;  // where inet_pton() would stop reading
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(family, address.c_str(), bytes.data()) == 1;
}

}  // namespace

std::optional<std::uint64_t> size_of(std::string_view written) {
    return quantity_of<4>(written, {{{"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}});
}

std::optional<std::chrono::milliseconds> duration_of(std::string_view written) {
    constexpr std::chrono::milliseconds longest = std::chrono::hours(1000);
    const auto count = quantity_of<4>(written, {{{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}}});
    if (!count || *count > static_cast<std::uint64_t>(longest.count())) return std::nullopt;
    return std::chrono::milliseconds(*count);
}

std::optional<Endpoint> endpoint_of(std::string_view written) {
    const auto colon = written.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = text::number<std::uint16_t>(written.substr(colon + 1));
    if (!port) return std::nullopt;
    std::string_view host = written.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    Endpoint endpoint{.address = std::string(host), .port = *port};
    if (!is_address(bracketed ? AF_INET6 : AF_INET, endpoint.address)) return std::nullopt;
    return endpoint;
}

}  // namespace config
