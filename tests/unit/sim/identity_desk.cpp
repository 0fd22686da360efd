#include "tests/unit/sim/identity_desk.hpp"

#include "protocols/base/base64.hpp"

namespace support {

std::string IdentityDesk::base64url_of_sha256(const std::string& text) { return base64url_encoded(sim::sha256(text)); }

}  // namespace support
