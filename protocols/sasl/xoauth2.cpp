#include "protocols/sasl/xoauth2.hpp"

#include "protocols/base/base64.hpp"
#include "protocols/sasl/field.hpp"

namespace sasl {

Result<Secret> xoauth2(std::string_view user, const Secret& access_token) {
    if (!is_field(user)) return errc::bad_user;
    if (!is_field(access_token.reveal())) return errc::bad_secret;
    std::string fields = "user=";
    fields.append(user)
        .append(
            "\x01"
            "auth=Bearer ")
        .append(access_token.reveal())
        .append("\x01\x01");
    const Secret clear(std::move(fields));
    return Secret(base64_encoded(clear.reveal()));
}

}  // namespace sasl
