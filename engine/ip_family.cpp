#include "engine/ip_family.hpp"

net::Family family_of(config::IpFamily family) noexcept {
    switch (family) {
        case config::IpFamily::v4:
            return net::Family::ipv4;
        case config::IpFamily::v6:
            return net::Family::ipv6;
        case config::IpFamily::any:
            break;
    }
    return net::Family::any;
}
