#pragma once

#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/wait/asio.hpp"

namespace net {

/// Whether everybody may have that address: it is not loopback, private, link-local, shared, documentation, multicast
/// or reserved, and embeds none that is. RFC 6890 and IANA's registries of special-purpose addresses.
bool is_public(const asio::ip::address& address);

/// Which addresses may be called: public ones, and those of some networks.
class Reach {
public:
    /// A network as "10.0.0.0/8", "fd00::/8", or an address alone. Errors: network_malformed, also when bits are set
    /// beyond the prefix.
    Result<void> allow(std::string_view network);
    [[nodiscard]] bool admits(const asio::ip::address& address) const;

private:
    struct Network {
        asio::ip::address_v6::bytes_type first{};  // an IPv4 network lies in ::ffff:0:0/96
        unsigned bits = 0;
    };
    std::vector<Network> networks_;
};

}  // namespace net
