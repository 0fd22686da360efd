#include "protocols/net/reach.hpp"

#include <algorithm>
#include <array>

#include "protocols/base/text.hpp"
#include "protocols/net/errc.hpp"

namespace net {
namespace {

using asio::ip::address;
using asio::ip::address_v6;

struct V4Block {
    std::uint32_t first;
    unsigned bits;
};
/// https://www.iana.org/assignments/iana-ipv4-special-registry, those that are not globally reachable; multicast.
constexpr std::array special_v4{
    V4Block{0x00000000, 8},   // 0.0.0.0/8, this network
    V4Block{0x0a000000, 8},   // 10.0.0.0/8, private
    V4Block{0x64400000, 10},  // 100.64.0.0/10, shared
    V4Block{0x7f000000, 8},   // 127.0.0.0/8, loopback
    V4Block{0xa9fe0000, 16},  // 169.254.0.0/16, link-local (and the clouds' metadata)
    V4Block{0xac100000, 12},  // 172.16.0.0/12, private
    V4Block{0xc0000000, 24},  // 192.0.0.0/24, IETF protocols
    V4Block{0xc0000200, 24},  // 192.0.2.0/24, documentation
    V4Block{0xc0586300, 24},  // 192.88.99.0/24, 6to4 relays
    V4Block{0xc0a80000, 16},  // 192.168.0.0/16, private
    V4Block{0xc6120000, 15},  // 198.18.0.0/15, benchmarks
    V4Block{0xc6336400, 24},  // 198.51.100.0/24, documentation
    V4Block{0xcb007100, 24},  // 203.0.113.0/24, documentation
    V4Block{0xe0000000, 3},   // 224.0.0.0/4 multicast and 240.0.0.0/4 reserved
};

bool is_public_v4(std::uint32_t bits) {
    return std::none_of(special_v4.begin(), special_v4.end(),
                        [bits](const V4Block& block) { return (bits ^ block.first) >> (32U - block.bits) == 0; });
}

std::uint32_t v4_at(const address_v6::bytes_type& bytes, std::size_t place) {
    std::uint32_t value = 0;
    for (std::size_t i = place; i < place + 4; ++i) value = value << 8U | bytes[i];
    return value;
}

/// Global unicast is 2000::/3, without what is special in it; of the rest only 64:ff9b::/96, which leads to IPv4.
bool is_public_v6(const address_v6& address) {
    const auto bytes = address.to_bytes();
    const auto begins = [&](std::initializer_list<unsigned char> prefix) {
        return std::equal(prefix.begin(), prefix.end(), bytes.begin());
    };
    if (begins({0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public_v4(v4_at(bytes, 12));  // NAT64
    if ((bytes[0] & 0xe0U) != 0x20) return false;
    if (begins({0x20, 0x02})) return is_public_v4(v4_at(bytes, 2));     // 6to4
    if (begins({0x20, 0x01}) && (bytes[2] & 0xfeU) == 0) return false;  // 2001::/23, IETF protocols, Teredo
    if (begins({0x20, 0x01, 0x0d, 0xb8})) return false;                 // documentation
    return !(begins({0x3f, 0xff}) && (bytes[2] & 0xf0U) == 0);          // 3fff::/20, documentation
}

/// As IPv6; an IPv4 address as ::ffff:a.b.c.d.
address_v6::bytes_type bytes_of(const address& given) {
    const auto v6 = given.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, given.to_v4()) : given.to_v6();
    return v6.to_bytes();
}

}  // namespace

bool is_public(const address& given) {
    const address_v6 address(bytes_of(given));
    return address.is_v4_mapped() ? is_public_v4(v4_at(address.to_bytes(), 12)) : is_public_v6(address);
}

Result<void> Reach::allow(std::string_view network) {
    const auto slash = network.find('/');
    error_code wrong;
    const auto address = asio::ip::make_address(std::string(network.substr(0, slash)), wrong);
    if (wrong) return errc::network_malformed;
    const unsigned most = address.is_v4() ? 32 : 128;
    const auto bits =
        slash == std::string_view::npos ? std::optional(most) : text::number<unsigned>(network.substr(slash + 1));
    if (!bits || *bits > most) return errc::network_malformed;
    const Network read{bytes_of(address), *bits + (128 - most)};
    for (unsigned bit = read.bits; bit < 128; ++bit)
        if ((read.first[bit / 8] & 0x80U >> bit % 8) != 0) return errc::network_malformed;
    networks_.push_back(read);
    return {};
}

bool Reach::admits(const address& address) const {
    if (is_public(address)) return true;
    const auto bytes = bytes_of(address);
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
        const auto whole = network.bits / 8, rest = network.bits % 8;
        if (!std::equal(bytes.begin(), bytes.begin() + whole, network.first.begin())) return false;
        return rest == 0 || ((bytes[whole] ^ network.first[whole]) >> (8 - rest)) == 0;
    });
}

}  // namespace net
