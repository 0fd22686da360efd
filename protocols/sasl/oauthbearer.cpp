#include "protocols/sasl/oauthbearer.hpp"

#include <string>

#include "protocols/base/base64.hpp"
#include "protocols/sasl/field.hpp"

namespace sasl {

Result<Secret> oauthbearer(std::string_view user, Endpoint endpoint, const Secret& access_token) {
    if (!is_field(user)) return errc::bad_user;
    if (!endpoint.host.empty() && !is_field(endpoint.host)) return errc::bad_host;
    if (!is_field(access_token.reveal())) return errc::bad_secret;
    std::string fields = "n,a=" + saslname(user) + ",\x01";
    if (!endpoint.host.empty()) {
        fields.append("host=").append(endpoint.host);
        fields.append("\x01port=" + std::to_string(endpoint.port) + "\x01");
    }
    fields.append("auth=Bearer ").append(access_token.reveal()).append("\x01\x01");
    const Secret clear(std::move(fields));
    return Secret(base64_encoded(clear.reveal()));
}

}  // namespace sasl
